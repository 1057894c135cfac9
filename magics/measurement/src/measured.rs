//! The result of any measurement.

use serde::{Deserialize, Serialize};

use crate::{
    Failure, LinesMeasurement, MemoryMeasurement, OnceMeasurement, Remark, TimeMeasurement,
    TimelineMeasurement, VariablesMeasurement,
};

/// The result of a measured snippet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// `%memit` finished.
    Memory(MemoryMeasurement),
    /// `%timeit` finished.
    Time(TimeMeasurement),
    /// `%time` finished.
    Once(OnceMeasurement),
    /// `%mprun` or `%lprun` ended, with or without a failure.
    Lines(LinesMeasurement),
    /// `%mprof` ended, with or without a failure.
    Timeline(TimelineMeasurement),
    /// `%whos` finished.
    Variables(VariablesMeasurement),
    /// The snippet failed.
    Failed(Failure),
}

impl Measured {
    /// Why the measurement has failed or ended early.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Memory(_) | Self::Time(_) | Self::Once(_) | Self::Variables(_) => None,
            Self::Lines(lines) => lines.failure.as_ref(),
            Self::Timeline(timeline) => timeline.failure.as_ref(),
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// The result of a magic in a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The number of the magic.
    pub magic: u32,
    /// The values of the variables around the magic: `n = 10`.
    pub place: String,
    /// The result.
    pub measured: Measured,
    /// What its figures do not show.
    pub remarks: Vec<Remark>,
    /// Time of a run without probes in nanoseconds, if the times of lines must be compared with one and
    /// such a run came to its end.
    pub plain_ns: Option<u64>,
}
