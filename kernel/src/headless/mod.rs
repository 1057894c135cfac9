//! Runs cells without Jupyter: `memit run` and `memit eval`.

mod console;
mod eval;
mod interrupts;
mod notebook_output;
mod run;
mod terminal;

pub(crate) use eval::eval;
pub(crate) use run::{RunOptions, TABLE, run};
