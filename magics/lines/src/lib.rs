//! Memory and time of Rust functions, line by line: the data, and the tables that people know
//! from Python's `memory_profiler` and `line_profiler`. Knows nothing of how it is measured.
#![forbid(unsafe_code)]

pub mod memory_text;
pub mod notes;
pub mod profile;
mod table;
pub mod time_text;
pub mod units;

pub use profile::{
    Backend, Clock, Figures, Function, Kind, Line, Place, Profile, Stopped, UnknownBackend,
};
pub use time_text::TimeText;

#[cfg(test)]
mod samples;
