//! The five sockets of a kernel, one file each, and what they share.
//!
//! A zmq socket belongs to one thread. Shell and control answer requests on theirs; iopub is
//! fed through a channel, so that messages from every thread leave in the order they were given.

mod bind;
mod control;
mod heartbeat;
mod iopub;
mod request_socket;
mod shell;
mod stdin;
mod stop;
mod wake;

pub(crate) use control::{Control, ControlParts};
pub(crate) use heartbeat::Heartbeat;
pub(crate) use iopub::{ExecutionState, Iopub};
pub(crate) use request_socket::RequestSocket;
pub(crate) use shell::Shell;
pub(crate) use stdin::Stdin;
