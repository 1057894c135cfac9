//! The loops that receive requests on shell and control and dispatch them to their handlers.

mod control;
mod shell;

pub(crate) use control::{Control, ControlParts};
pub(crate) use shell::Shell;
