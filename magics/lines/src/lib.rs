//! Memory and time of Rust functions, line by line: the data, and the tables that people know
//! from Python's `memory_profiler` and `line_profiler`. Nothing here measures.
#![forbid(unsafe_code)]

mod counted;
mod function;
mod function_name;
pub mod memory_text;
pub mod notes;
mod profile;
mod source;
mod table;
pub mod time_text;
pub mod units;

pub use counted::{FunctionLines, LineFigures};
pub use function::{Figures, Function, Line, Place};
pub use function_name::is_called;
pub use memit_session::abi::{Backend, UnknownBackend};
pub use profile::{Clock, Kind, NoTotal, Profile, Stopped, Total};
pub use source::{RunningLine, SourceFunction, innermost_line};
pub use time_text::TimeText;

#[cfg(any(test, feature = "samples"))]
#[doc(hidden)]
pub mod samples;
