//! The memory of any process, read and sampled from outside: what `memit mprof` is made of.
//!
//! Files in `/proc` are opened once, and reading them allocates nothing, so that a sampler costs
//! little. The sampler waits for the next deadline and not for a length of time, so that it does not
//! drift.

#[cfg(unix)]
pub mod children;
#[cfg(target_os = "linux")]
mod looks;
mod pace;
mod peak_finder;
#[cfg(unix)]
pub mod process;
#[cfg(target_os = "linux")]
mod process_files;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod ticker;
#[cfg(target_os = "linux")]
mod tracer;
#[cfg(target_os = "linux")]
mod tree;

pub use pace::Pace;
pub use peak_finder::{PeakFinder, Sample};
#[cfg(target_os = "linux")]
pub use {
    looks::Looks,
    program::{Ended, Program},
    signals::{Signal, Signals, end_by},
    ticker::{Ticker, Woken},
    tree::{EndedDescendant, Observed, Tree},
};

/// Resident set size of this process in bytes; 0 where the system does not tell.
pub fn resident() -> u64 {
    #[cfg(target_os = "linux")]
    if let Ok(Some(resident)) =
        process::StatmFile::of_this_process().and_then(|statm| statm.resident())
    {
        return resident;
    }
    memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem as u64)
}
