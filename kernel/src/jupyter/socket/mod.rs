//! The five sockets of a kernel, one file each, and what they share.
//!
//! A zmq socket belongs to one thread. Shell and control answer requests on theirs; iopub is
//! fed through a channel, so that messages from every thread leave in the order they were given.

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
