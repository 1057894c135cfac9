//! The memory of a program, line by line and phase by phase.
//!
//! ```
//! #[memit::profile]
//! fn squares(count: u64) -> u64 {
//!     let all: Vec<u64> = (0..count).map(|n| n * n).collect();
//!     let even: Vec<u64> = all.iter().copied().filter(|n| n % 2 == 0).collect();
//!     even.iter().sum()
//! }
//!
//! assert_eq!(squares(6), 20);
//! ```
//!
//! While memit's feature `enabled` is off, the attribute does nothing, and memit has no dependencies.
//! Give the program a feature of its own that turns `enabled` on:
//!
//! ```toml
//! [features]
//! profile = ["memit/enabled"]
//! ```
//!
//! Then `cargo run --release --features profile` shows at the end of the program what each line of the
//! profiled functions did:
//!
//! ```text
//! Function: squares (src/main.rs)
//!
//! Line #    Mem usage    Increment         Peak    Allocs  Occurrences   Line Contents
//! ====================================================================================
//!      2                                                                 fn squares(count: u64) -> u64 {
//!      3         56 B         56 B         56 B         1            1       let all: Vec<u64> = (0..count).map(|n| n * n).collect();
//!      4         96 B         40 B         40 B         1            1       let even: Vec<u64> = all.iter().copied().filter(|n| n % 2 == 0).collect();
//!      5         96 B          0 B          0 B         0            1       even.iter().sum()
//!      6          0 B        -96 B          0 B         0                }
//! increment: 0 B, highest peak of a line: 56 B, 2 allocations in 1 call
//! ```
//!
//! `Mem usage` is the memory after the last execution of the line, above the memory at the first call
//! of a profiled function. `Increment` is what the line added, summed over all executions. `Peak` is
//! the highest memory during the line, above the memory at its start. A line is charged with the
//! functions that it calls, and the closing brace of a block with the variables that are dropped there.
//!
//! # What is measured
//!
//! On Linux with glibc: the heap, exact to the byte, in the sizes of the blocks that `malloc` hands
//! out. With the feature, the program has a `malloc` of its own in front of glibc's, so allocations of
//! C libraries count, too. A program with another allocator needs
//! `#[memit::profile(backend = "rss")]`. Static programs and other Unix systems always measure the
//! resident memory. A line costs about a nanosecond. With several threads, each counts on its own: a
//! line is charged with what its own thread allocates and frees, and `Mem usage` is what this thread
//! holds.
//!
//! # Where it is shown
//!
//! The tables are printed to standard error when the program ends by the end of `main`, a panic or
//! `std::process::exit`. If the environment variable `MEMIT_PROFILE_FILE` names a file, they are
//! written to that file instead. A program shows no tables if it is aborted, if it is a fork, or if no
//! profiled function was called.
//!
//! # Over time
//!
//! [`phase()`] and [`timestamp!`] mark what the program does. With the feature, phases, timestamps and
//! calls of profiled functions are appended to the file that the environment variable
//! `MEMIT_MPROF_FILE` names, in the format that `mprof` of Python's `memory_profiler` plots. Each costs
//! two or three readings of the clock and of the resident memory; without the variable, the cost is too
//! small to measure.
//!
//! Notebooks of memit's kernel have `phase` and `timestamp!` without this crate, and `%mprof` plots
//! them.
#![forbid(unsafe_code)]

#[cfg(all(feature = "enabled", not(unix)))]
compile_error!("memit's feature `enabled` needs a Unix system: turn the feature off");

#[cfg(all(feature = "enabled", unix))]
mod call;
#[cfg(all(feature = "enabled", unix))]
mod destination;
#[cfg(all(feature = "enabled", unix))]
mod mprof;
mod phase;
#[cfg(all(feature = "enabled", unix))]
mod report;
mod resident;
#[cfg(all(feature = "enabled", unix))]
mod source;

pub use memit_macros::profile;
pub use phase::{Phase, phase};
pub use resident::memory_usage;

/// What the macros of this crate expand to.
#[doc(hidden)]
pub mod __private {
    pub use crate::phase::{ENABLED, timestamp};
    #[cfg(all(feature = "enabled", unix))]
    pub use {crate::source::Source, memit_session::lines};
}
