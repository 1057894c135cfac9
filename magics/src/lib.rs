//! The magics of memit: how a cell is split into Rust and magics, which Rust a magic compiles to,
//! and the reports of its measurements. This crate knows neither Jupyter nor evcxr.
#![forbid(unsafe_code)]

pub mod cell;
pub mod chart;
mod ellipsis;
mod error;
pub mod failure;
pub mod magic;
mod magics;
pub mod mprof_file;
pub mod report;
pub mod result;
pub mod split;
pub mod stats;
mod visible;

pub use error::{MagicError, nearest};
pub use magics::{has_type, help, line_magic, registry};
pub use memit_lines::units;
pub use visible::visible;
