//! Memory and time of Rust functions, line by line: the data, and the tables that people know
//! from Python's `memory_profiler` and `line_profiler`. Knows nothing of how it is measured.
#![forbid(unsafe_code)]

pub mod profile;
pub mod units;
