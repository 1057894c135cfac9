//! Measurements of `%mprun`, `%lprun` and `#[profile]`.

use memit_lines::{FunctionLines, Kind};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// The counts of the lines of profiled functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinesMeasurement {
    /// Functions that have run, in the order of their first runs.
    pub functions: Vec<FunctionLines>,
    /// The kind of the figures.
    pub kind: Kind,
    /// Wall-clock time of the run in nanoseconds, up to its failure if it failed. Of several runs,
    /// the shortest.
    pub wall_ns: u64,
    /// Whether the run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Whether more than one thread ran during the run.
    pub threaded: bool,
    /// Threads that the statements had started and that still ran at the end.
    pub outlasting: u32,
    /// How the run failed, if it did. The figures end at the failure.
    pub failure: Option<Failure>,
    /// The time of lines, with the cost of probes; `None` if lines have no time.
    pub timing: Option<Timing>,
}

/// The time of lines, from which the cost of probes must be subtracted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// What a probe costs in nanoseconds if nothing else takes time: an upper bound, as other work
    /// hides a part.
    pub probe_ns: f64,
    /// Number of probes that read the clock; 0 if the time is sampled.
    pub probes: u64,
    /// Whether more than one thread has run a profiled function.
    pub shared: bool,
    /// Where sampling found lines running, in all runs together.
    pub looks: Vec<Look>,
}

/// The time for which a line was found running.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The line.
    pub at: RunningAt,
    /// The innermost line of the same thread: the line itself, or one of a function that it calls.
    pub innermost: RunningAt,
    /// The time, as a part of the time of all runs. Threads that run the same function share the time.
    pub part: f64,
}

/// A line of a function, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunningAt {
    /// Index of the function.
    pub function: usize,
    /// Index of the line in [`FunctionLines::lines`].
    pub line: usize,
}
