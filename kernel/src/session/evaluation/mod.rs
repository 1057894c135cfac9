//! Evaluates the Rust of a cell, and keeps the log that `%undo` needs.

mod cost_log;
mod deletion;
pub(crate) mod given_up;
mod implementations;
mod item_calls;
mod left;
mod own;
mod phase_types;
mod probed_functions;
mod reset;
mod rewriting;
mod running;
mod self_imports;
mod undo_log;
mod value;

pub(crate) use cost_log::CostLog;
pub(crate) use probed_functions::{Written, explained};
pub(crate) use running::{Failed, Running};
pub(crate) use undo_log::UndoLog;
