//! What `%mprun`, `%lprun` and `#[profile]` measure.

use memit_lines::{FunctionLines, Kind};
use serde::{Deserialize, Serialize};

use crate::Failure;

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
