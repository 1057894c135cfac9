//! The magics of memit: how they are found in a cell, what Rust they compile to, and the
//! reports of what was measured. Knows neither Jupyter nor evcxr.
#![forbid(unsafe_code)]

pub mod cell;
pub mod chart;
mod error;
pub mod failure;
pub mod help;
mod lprun;
mod lsmagic;
pub mod magic;
mod memit;
mod mprof;
mod mprun;
pub mod options;
pub mod profile;
pub mod profiled;
pub mod registry;
pub mod report;
pub mod result;
mod session;
pub mod snippet;
mod statement;
pub mod stats;
pub mod syntax;
mod timeit;
mod undo;

pub use error::MagicError;
pub use memit_lines::units;
