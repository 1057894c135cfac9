//! What a measurement is, as data: bytes and nanoseconds, nothing formatted.
//!
//! The session process fills these in, the reports of `memit-magics` are views of them.

use memit_lines::Kind;
use serde::{Deserialize, Serialize};

pub use crate::timeline::TimelineMeasurement;
pub use memit_lines::{FunctionLines, LineFigures};

/// One repetition of a snippet whose memory was measured. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryRun {
    /// Resident set size just before the snippet started.
    pub baseline_rss: u64,
    /// Highest resident set size until the snippet's value existed.
    pub peak_rss: u64,
    /// `peak_rss - baseline_rss`, never below zero.
    pub increment: u64,
    /// Highest live heap above the start of the snippet, in usable sizes of blocks.
    pub heap_peak: u64,
    /// Heap bytes obtained over the whole run; a growing `realloc` counts its growth.
    pub heap_allocated: u64,
    /// Calls that obtained memory (`malloc`, `calloc`, `realloc`, `aligned_alloc`, …).
    pub allocations: u64,
    /// Heap still held after the snippet's value was dropped. Negative when the
    /// snippet gave back memory that the session had held before.
    pub heap_retained: i64,
    /// Wall-clock time of the snippet.
    pub wall_ns: u64,
}

/// Where `peak_rss` came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The kernel's own high-water mark (`VmHWM`), reset before the run: exact.
    #[default]
    Vmhwm,
    /// `ru_maxrss` of the measured process: exact, but over its whole life.
    Maxrss,
    /// Readings of the resident set size at an interval: short peaks are missed.
    Sampled,
}

/// What `%memit` measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryMeasurement {
    /// One entry for each repetition that finished.
    pub runs: Vec<MemoryRun>,
    /// Whether each run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Where the peaks came from.
    pub source: Source,
    /// Whether child processes of the snippet were added to the peaks.
    pub children: bool,
}

/// The clock that `%timeit` read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    #[default]
    Wall,
    /// `CLOCK_PROCESS_CPUTIME_ID`.
    Cpu,
}

/// What `%timeit` measured. Times are in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeMeasurement {
    /// Executions of the snippet in each run.
    pub loops: u64,
    /// Total time of each run.
    pub all_runs: Vec<u64>,
    /// The clock that was read.
    pub clock: Clock,
    /// Length of one processor cycle, measured just before the runs; 0 if unknown.
    pub cycle_ns: f64,
    /// The separate, untimed pass that counted the heap; absent if it was not made.
    pub memory: Option<MemoryRun>,
    /// Executions of the snippet in that pass.
    pub memory_loops: u64,
    /// Where that pass's peak came from.
    pub source: Source,
    /// Whether the runs were made in a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
}

/// What was counted in the lines of profiled functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinesMeasurement {
    /// Functions that have run, in the order in which they ran first.
    pub functions: Vec<FunctionLines>,
    /// What the figures are.
    pub kind: Kind,
    /// Wall-clock time of the run in nanoseconds, as far as it came.
    pub wall_ns: u64,
    /// Whether the run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Whether more than one thread ran during the run.
    pub threaded: bool,
    /// How the run failed, if it did; the figures are those up to then.
    pub failure: Option<Failure>,
}

/// Why a measured snippet did not finish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FailureKind {
    /// The snippet panicked.
    Panic(Panic),
    /// A `?` in the snippet met an error.
    Returned {
        /// Its `Debug` text.
        error: String,
    },
    /// A signal ended the run.
    Signal {
        /// The system's number for it.
        number: i32,
    },
    /// The snippet ended its process itself (`std::process::exit`).
    Exit {
        /// The code it exited with.
        code: i32,
    },
    /// The time limit passed.
    TimedOut {
        /// The limit.
        seconds: f64,
    },
    /// The memory that was asked for passed the limit that was given.
    PassedLimit {
        /// The limit in bytes.
        limit: u64,
        /// What there would have been, or was, in bytes.
        reached: u64,
        /// The allocation that would have passed it was not made.
        refused: bool,
    },
    /// The user interrupted the run.
    Interrupted,
    /// The session has more than one thread, but the snippet was compiled to run in a fork.
    /// The caller compiles it again to run in place.
    CannotFork,
    /// The operating system refused something that a measurement needs.
    System {
        /// What it said.
        message: String,
    },
}

/// A failure, and how far memory had got by then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened.
    pub cause: FailureKind,
    /// Highest resident set size of the run in bytes, where it is known.
    pub peak_rss: Option<u64>,
    /// Threads of the session.
    pub threads: u32,
}

/// A panic of user code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// The panic message.
    pub message: String,
    /// File of the panic, as the compiler saw it.
    pub file: String,
    /// Line in that file, from 1.
    pub line: u32,
    /// Column in that line, from 1.
    pub column: u32,
}

/// What a measured snippet came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// `%memit` finished.
    Memory(MemoryMeasurement),
    /// `%timeit` finished.
    Time(TimeMeasurement),
    /// `%mprun` or `%lprun` came to an end, whichever.
    Lines(LinesMeasurement),
    /// `%mprof` came to an end, whichever.
    Timeline(TimelineMeasurement),
    /// The snippet failed.
    Failed(Failure),
}
