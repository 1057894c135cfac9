//! The loops that take requests off a socket and have them answered: one file a socket.

mod control;
mod shell;

pub(crate) use control::{Control, ControlParts};
pub(crate) use shell::Shell;
