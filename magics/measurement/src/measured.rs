//! The result of any measurement.

use serde::{Deserialize, Serialize};

use crate::{Failure, LinesMeasurement, MemoryMeasurement, TimeMeasurement, TimelineMeasurement};

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
