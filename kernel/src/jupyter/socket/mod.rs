//! The sockets of a kernel, and what they share.
//!
//! A zmq socket belongs to one thread. Shell and control are request sockets, each with its thread.
//! Messages for iopub go through a channel, so that the messages of every thread keep their order.

mod answer;
mod bind;
mod heartbeat;
mod iopub;
mod request_socket;
mod stdin;
mod stop;
mod wake;

pub(crate) use answer::Answer;
pub(crate) use heartbeat::Heartbeat;
pub(crate) use iopub::{ExecutionState, Iopub};
pub(crate) use request_socket::RequestSocket;
pub(crate) use stdin::Stdin;
pub(crate) use stop::Stopper;
