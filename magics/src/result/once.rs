//! The result of `%time`.

use std::time::Duration;

use memit_measurement::OnceMeasurement;
use serde::Serialize;

use super::rust_value::RustValue;

/// What statements have cost that ran once. Times are in nanoseconds and sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "magic", rename = "time")]
pub struct TimeResult {
    /// Wall-clock time.
    pub wall_ns: u64,
    /// Processor time of all threads in user mode.
    pub user_ns: u64,
    /// Processor time of all threads in the system.
    pub system_ns: u64,
    /// Time to compile the statements.
    pub compile_time: u64,
    /// Highest resident set size; absent where the system does not tell.
    pub peak_memory: Option<u64>,
    /// Growth of the resident set size.
    pub increment: Option<u64>,
    /// Highest live heap above the start.
    pub heap_peak: u64,
    /// Heap obtained.
    pub heap_allocated: u64,
    /// Calls that obtained memory.
    pub allocations: u64,
    /// Heap that the session holds more afterwards. Negative if the statements freed memory of the session.
    pub heap_retained: i64,
}

impl TimeResult {
    /// The result of a measurement of statements that took `compiled` to compile.
    pub fn new(measurement: &OnceMeasurement, compiled: Duration) -> Self {
        let cost = &measurement.cost;
        let resident = cost.resident;
        Self {
            wall_ns: cost.wall_ns,
            user_ns: cost.user_ns,
            system_ns: cost.system_ns,
            compile_time: u64::try_from(compiled.as_nanos()).unwrap_or(u64::MAX),
            peak_memory: resident.map(|resident| resident.peak),
            increment: resident.map(|resident| resident.peak.saturating_sub(resident.baseline)),
            heap_peak: measurement.heap_peak,
            heap_allocated: measurement.heap_allocated,
            allocations: measurement.allocations,
            heap_retained: measurement.heap_retained,
        }
    }

    /// This result as a `TimeResult`, with the fields of the JSON.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(self)
    }
}

rust_struct! {
    TimeResult as "TimeResult" {
        wall_ns, user_ns, system_ns, compile_time, peak_memory, increment, heap_peak, heap_allocated,
        allocations, heap_retained,
    }
}
