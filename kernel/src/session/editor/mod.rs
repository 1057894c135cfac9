//! Answers editors about code that is not run: completions, documentation, problems.

mod check;
mod complete;
mod inspect;
mod position;

pub(crate) use check::{Problem, check};
pub(crate) use complete::{Completions, Match, complete, complete_magic, completeness};
pub(crate) use inspect::{inspect, inspect_magic};
