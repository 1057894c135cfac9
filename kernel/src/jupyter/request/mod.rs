//! What the kernel answers to each type of request.

mod answer;
mod background_session;
mod cell_input;
mod cell_output;
pub(crate) mod comm;
pub(crate) mod complete;
mod execute;
pub(crate) mod history;
pub(crate) mod inspect;
pub(crate) mod is_complete;
pub(crate) mod shutdown;

pub(crate) use answer::Answer;
pub(crate) use background_session::BackgroundSession;
pub(crate) use execute::Executor;
