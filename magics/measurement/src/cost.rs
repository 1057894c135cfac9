//! What it costs to run code once in the session itself.

use serde::{Deserialize, Serialize};

/// What a run has cost. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCost {
    /// Wall-clock time.
    pub wall_ns: u64,
    /// Processor time of all threads in user mode, in steps of microseconds.
    pub user_ns: u64,
    /// Processor time of all threads in the system, in steps of microseconds.
    pub system_ns: u64,
    /// The resident memory; absent where the system does not tell the peak.
    pub resident: Option<ResidentCost>,
    /// What the allocator has handed out more at the end than at the start, with what it keeps ready for
    /// each thread; absent where the allocator does not tell, or would take long to tell.
    pub heap_change: Option<i64>,
}

/// The resident memory of a run, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidentCost {
    /// Resident set size at the start.
    pub baseline: u64,
    /// Highest resident set size.
    pub peak: u64,
}

/// The result of `%time`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnceMeasurement {
    /// Times and resident memory.
    pub cost: RunCost,
    /// Highest live heap above the start, in usable sizes of blocks.
    pub heap_peak: u64,
    /// Heap obtained, in usable sizes of blocks. A `realloc` obtains the whole new size.
    pub heap_allocated: u64,
    /// Calls that obtained memory.
    pub allocations: u64,
    /// Heap that is held at the end and was not at the start; negative if more was freed than obtained.
    pub heap_retained: i64,
}
