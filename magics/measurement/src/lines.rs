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
    /// Wall-clock time of the run in nanoseconds, up to its failure if it failed.
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
}
