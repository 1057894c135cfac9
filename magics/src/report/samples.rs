//! Results for the tests of the views.

use memit_measurement::{MemoryMeasurement, MemoryRun, TimeMeasurement, TimelineMeasurement};
use memit_measurement::{Moment, Point, Series, Span};

use crate::result::{MemitResult, MprofResult, TimeitResult};

/// A run that allocated one vector of 100 MiB.
pub(super) fn vector_run() -> MemoryRun {
    MemoryRun {
        baseline_rss: 5_452_595,
        peak_rss: 5_452_595 + (100 << 20),
        increment: 100 << 20,
        heap_peak: 100 << 20,
        heap_allocated: 100 << 20,
        allocations: 1,
        heap_peak_requested: Some(100 << 20),
        heap_allocated_requested: Some(100 << 20),
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
        empty_loop_ns: 0.3125,
        memory: Some(MemoryRun {
            baseline_rss: 5_452_595,
            peak_rss: 5_452_595,
            increment: 0,
            heap_peak: 64,
            heap_allocated: 64_000,
            allocations: 1_000,
            heap_peak_requested: Some(64),
            heap_allocated_requested: Some(64_000),
            heap_retained: 0,
            wall_ns: 11_200,
        }),
        memory_loops: 1_000,
        isolated: true,
        threads: 1,
        ..TimeMeasurement::default()
    }
}

/// A result shown with three digits.
pub(super) fn timeit(measurement: TimeMeasurement) -> TimeitResult {
    TimeitResult::new(measurement, 213_000_000, 3)
}

/// A program reads and sorts a file within 1.3 s. It holds 100 MiB at the end of the first phase;
/// merging, inside the second phase, takes another 50 MiB for an instant.
pub(super) fn measured_timeline() -> TimelineMeasurement {
    let (ms, mib) = (1_000_000, 1 << 20);
    let series = |points: &[(u64, u64)]| {
        Series::of(points.iter().map(|&(time, size)| Point {
            time_ns: time * ms,
            bytes: size * mib,
        }))
    };
    let moment = |time, rss, heap| Moment {
        time_ns: time * ms,
        rss: rss * mib,
        heap: heap * mib,
    };
    let span = |label: &str, start, end, peak, level| Span {
        label: label.to_owned(),
        start,
        end,
        peak_rss: peak * mib,
        level,
        ..Span::default()
    };
    let rss = [
        (0, 5),
        (100, 6),
        (500, 105),
        (800, 155),
        (810, 106),
        (1_200, 20),
        (1_300, 20),
    ];
    let heap = [
        (0, 1),
        (100, 1),
        (500, 100),
        (800, 150),
        (810, 100),
        (1_200, 2),
        (1_300, 1),
    ];
    TimelineMeasurement {
        rss: series(&rss),
        heap: series(&heap),
        spans: vec![
            span(
                "load data.csv",
                moment(100, 6, 1),
                moment(500, 105, 100),
                105,
                0,
            ),
            span("sort", moment(500, 105, 100), moment(1_200, 20, 2), 155, 0),
            span(
                "merge",
                moment(790, 150, 145),
                moment(805, 130, 125),
                155,
                1,
            ),
        ],
        samples: 130,
        interval_ns: 10 * ms,
        started_ns: 1_700_000_000_000_000_000,
        wall_ns: 1_300 * ms,
        isolated: true,
        threads: 1,
        ..TimelineMeasurement::default()
    }
}

/// `measured_timeline`, changed.
pub(super) fn mprof(change: impl FnOnce(&mut TimelineMeasurement)) -> MprofResult {
    let mut measured = measured_timeline();
    change(&mut measured);
    MprofResult::from(measured)
}
