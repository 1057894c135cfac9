//! The handlers of requests: one file for each type.

mod background_session;
mod bad_request;
mod cell_input;
mod cell_output;
pub(crate) mod comm;
pub(crate) mod complete;
mod execute;
pub(crate) mod history;
pub(crate) mod inspect;
pub(crate) mod is_complete;
pub(crate) mod kernel_info;
pub(crate) mod shutdown;

pub(crate) use background_session::BackgroundSession;
pub(crate) use execute::Executor;
