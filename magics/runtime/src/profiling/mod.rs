//! Samples the memory of another process, for `memit mprof` and `%mprof`.
//!
//! Files in `/proc` are opened once, and reading them allocates nothing, so that a sampler costs
//! little. The sampler waits for the next deadline and not for a length of time, so that it does not
//! drift.

mod peak_finder;
#[cfg(target_os = "linux")]
mod process_files;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(unix)]
mod ticker;
#[cfg(target_os = "linux")]
mod tree;

pub use peak_finder::{PeakFinder, Sample};
#[cfg(target_os = "linux")]
pub use process_files::Backend;
#[cfg(target_os = "linux")]
pub use program::{Ended, Program};
#[cfg(target_os = "linux")]
pub use signals::{Signal, Signals, end_by};
#[cfg(unix)]
pub use ticker::Ticker;
#[cfg(target_os = "linux")]
pub use tree::{Observed, Tree};
