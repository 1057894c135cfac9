//! Results for the tests of the views.

use memit_runtime::measurement::{MemoryMeasurement, MemoryRun, TimeMeasurement};

use crate::result::memory::MemitResult;
use crate::result::time::TimeitResult;

/// A run that made one vector of 100 MiB.
pub(super) fn vector_run() -> MemoryRun {
    MemoryRun {
        baseline_rss: 5_452_595,
        peak_rss: 5_452_595 + (100 << 20),
        increment: 100 << 20,
        heap_peak: 100 << 20,
        heap_allocated: 100 << 20,
        allocations: 1,
        heap_retained: 0,
        wall_ns: 31_000_000,
    }
}

/// `vector_run` with another baseline and increment.
pub(super) fn run_of(baseline_rss: u64, increment: u64) -> MemoryRun {
    MemoryRun {
        baseline_rss,
        peak_rss: baseline_rss + increment,
        increment,
        ..vector_run()
    }
}

/// Isolated runs with exact peaks.
pub(super) fn memit(runs: Vec<MemoryRun>) -> MemitResult {
    MemitResult::from(measured_memory(runs))
}

pub(super) fn measured_memory(runs: Vec<MemoryRun>) -> MemoryMeasurement {
    MemoryMeasurement {
        runs,
        isolated: true,
        threads: 1,
        ..MemoryMeasurement::default()
    }
}

/// `vec![0u8; 64]`, timed in seven runs.
pub(super) fn measured_time() -> TimeMeasurement {
    TimeMeasurement {
        loops: 10_000_000,
        all_runs: vec![
            111_400_000,
            111_700_000,
            112_100_000,
            111_900_000,
            113_600_000,
            111_500_000,
            111_800_000,
        ],
        cycle_ns: 0.3125,
        memory: Some(MemoryRun {
            baseline_rss: 5_452_595,
            peak_rss: 5_452_595,
            increment: 0,
            heap_peak: 64,
            heap_allocated: 64_000,
            allocations: 1_000,
            heap_retained: 0,
            wall_ns: 11_200,
        }),
        memory_loops: 1_000,
        isolated: true,
        threads: 1,
        ..TimeMeasurement::default()
    }
}

/// A result with three digits.
pub(super) fn timeit(measurement: TimeMeasurement) -> TimeitResult {
    TimeitResult::new(measurement, 213_000_000, 3)
}
