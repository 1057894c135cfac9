//! The result of any measurement.

use serde::{Deserialize, Serialize};

use crate::{Failure, LinesMeasurement, MemoryMeasurement, TimeMeasurement, TimelineMeasurement};

/// The result of a measured snippet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// `%memit` finished.
    Memory(MemoryMeasurement),
    /// `%timeit` finished.
    Time(TimeMeasurement),
    /// `%mprun` or `%lprun` ended, with or without a failure.
    Lines(LinesMeasurement),
    /// `%mprof` ended, with or without a failure.
    Timeline(TimelineMeasurement),
    /// The snippet failed.
    Failed(Failure),
}
