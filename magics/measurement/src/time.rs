//! Measurements of `%timeit`.

use memit_session::abi::Clock;
use serde::{Deserialize, Serialize};

use crate::{MemoryRun, Source};

/// The result of `%timeit`. Times are in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeMeasurement {
    /// Executions of the snippet in each run.
    pub loops: u64,
    /// Total time of each run.
    pub all_runs: Vec<u64>,
    /// The clock that was read.
    pub clock: Clock,
    /// Time of a round of an empty loop, the shortest measured beside the runs; 0 if no run was short
    /// enough for a comparison.
    pub empty_loop_ns: f64,
    /// By how much the time of an execution may be off, as the clock is read around a set-up; 0 if
    /// it is not.
    pub clock_error_ns: f64,
    /// Highest growth of the live heap over the loops in bytes; 0 if the snippet does not grow what
    /// it works on.
    pub grown: u64,
    /// How often a run was continued in a new fork, because memory had grown.
    pub restarts: u32,
    /// Threads that the snippet had started and that still ran at the end.
    pub outlasting: u32,
    /// The separate, untimed pass that counted the heap; absent if it was not made.
    pub memory: Option<MemoryRun>,
    /// Executions of the snippet in that pass.
    pub memory_loops: u64,
    /// Where the peak of that pass came from.
    pub source: Source,
    /// Whether the runs were made in a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
}
