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
//! As long as memit's feature `enabled` is off, this is the same program without the attribute, and
//! memit has no dependencies. Give the program a feature of its own that turns it on:
//!
//! ```toml
//! [features]
//! profile = ["memit/enabled"]
//! ```
//!
//! Then `cargo run --release --features profile` shows at the end of the program what each line of the
//! functions has done:
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
//! `Mem usage` is what there is after the line has run last, above what there was at the first call
//! of a profiled function; `Increment` is what the line has added, over all its executions; `Peak` is
//! the highest point above what there was when the line began. What a function calls counts for the
//! line that calls it. What a block's variables free counts for its closing brace.
//!
//! # What is measured
//!
//! On Linux with glibc the heap, exact to the byte, in the sizes of the blocks that `malloc` hands
//! out: with the feature, the program has a `malloc` of its own in front of glibc's, so that what C
//! libraries allocate counts, too. A program with another allocator than the system's, or a static
//! one, asks for `#[memit::profile(backend = "rss")]`; in a static program, and on other Unix systems,
//! that is what is measured anyway. As long as there is one thread, a line costs about a nanosecond;
//! as soon as there are more, threads take turns in counting.
//!
//! # Where it is shown
//!
//! The tables are printed to standard error when the program ends, by the end of `main`, a panic or
//! `std::process::exit`; or written to the file that the environment variable `MEMIT_PROFILE_FILE`
//! names. A program that is aborted shows none, and neither does a fork of it. One in which no profiled
//! function was called has nothing to show.
//!
//! # Over time
//!
//! [`phase()`] and [`timestamp!`] mark what the program does. With the feature, they and the calls of
//! profiled functions are appended to the file that the environment variable `MEMIT_MPROF_FILE` names,
//! in the format that `mprof` of Python's `memory_profiler` plots. Each costs two or three readings of
//! the clock and of the resident memory; without the variable it costs nothing that can be
//! measured.
//!
//! In a notebook of memit's kernel both are there without this crate, and `%mprof` plots them.
#![forbid(unsafe_code)]

#[cfg(all(feature = "enabled", not(unix)))]
compile_error!("memit's feature `enabled` needs a Unix system: leave it off on this one");

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
    pub use {crate::source::Source, memit_runtime::lines::probes as lines};
}
