//! Measurements of `%memit`.

use serde::{Deserialize, Serialize};

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
    /// Heap bytes obtained over the whole run, in usable sizes of blocks. A `realloc` obtains the
    /// whole new size, as in DHAT.
    pub heap_allocated: u64,
    /// Calls that obtained memory (`malloc`, `calloc`, `realloc`, `aligned_alloc`, …).
    pub allocations: u64,
    /// `heap_peak` in requested sizes of blocks, which is what DHAT reports; absent where they are
    /// not known.
    pub heap_peak_requested: Option<u64>,
    /// `heap_allocated` in requested sizes of blocks.
    pub heap_allocated_requested: Option<u64>,
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
    /// `ru_maxrss` of the measured process: exact, but over the whole life of the process.
    Maxrss,
    /// Readings of the resident set size at an interval: short peaks are missed.
    Sampled,
}

/// The result of `%memit`.
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
    /// Threads that the snippet had started and that still ran at the end, at most in a run.
    pub outlasting: u32,
}
