//! Errors of cells, which point at the code that the user typed.

pub(crate) mod allocator;
mod cargo;
mod cell_error;
pub(crate) mod compiler;
mod dependency;
pub(crate) mod diagnostics;
mod explanations;
pub(crate) mod failed_tests;
mod hints;
mod message;
mod misplaced;
pub(crate) mod panic_site;
mod place;
pub(crate) mod question_mark;
pub(crate) mod unfinished;
mod value;
mod wording;

pub(crate) use cell_error::CellError;
pub(crate) use explanations::Explanations;
