//! `%memit` in lines of text.

use super::notes;
use crate::result::MemitResult;
use crate::units;

pub(super) fn text(result: &MemitResult) -> String {
    let mut lines = vec![summary(result), heap(result)];
    lines.extend(notes::of_memory(result));
    lines.join("\n")
}

/// The line in the format of Python's `memory_profiler`.
pub(super) fn summary(result: &MemitResult) -> String {
    format!(
        "peak memory: {}, increment: {}",
        units::mib(result.peak_memory),
        units::mib(result.increment)
    )
}

/// The heap of the run with the highest increment, and the number of runs.
pub(super) fn heap(result: &MemitResult) -> String {
    let run = result.highest_run().cloned().unwrap_or_default();
    let allocations = units::counted(&units::count(run.allocations), "allocation");
    let peak = sized(run.heap_peak, run.heap_peak_requested);
    let obtained = if run.heap_allocated == run.heap_peak {
        format!("heap peak: {peak} in {allocations}")
    } else {
        let allocated = sized(run.heap_allocated, run.heap_allocated_requested);
        format!("heap peak: {peak}, allocated: {allocated} in {allocations}")
    };
    let held = units::signed_bytes(run.heap_retained);
    let from_before = if run.heap_retained < 0 {
        ", as it freed memory of the session"
    } else {
        ""
    };
    let runs = units::counted(&result.runs.len().to_string(), "run");
    format!("{obtained}, held after drop: {held}{from_before} ({runs})")
}

/// A size of blocks, and the size that was requested if that is another size.
fn sized(usable: u64, requested: Option<u64>) -> String {
    let size = units::bytes(usable);
    match requested {
        Some(requested) if differs(usable as f64, requested as f64) => {
            format!("{size} ({} requested)", units::bytes(requested))
        }
        _ => size,
    }
}

/// Whether blocks are so much larger than requested that a report says both.
pub(super) fn differs(usable: f64, requested: f64) -> bool {
    usable > 1.05 * requested
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use memit_measurement::{MemoryMeasurement, MemoryRun, Source};

    use super::super::Report;
    use super::super::samples::{measured_memory, memit, run_of, vector_run};
    use super::*;

    #[test]
    fn a_vector_in_three_runs() {
        let result = memit(vec![vector_run(), vector_run(), vector_run()]);
        assert_snapshot!(text(&result), @"
        peak memory: 105.20 MiB, increment: 100.00 MiB
        heap peak: 100.00 MiB in 1 allocation, held after drop: 0 B (3 runs)
        ");
    }

    #[test]
    fn nothing_at_all_in_one_run() {
        let run = MemoryRun {
            baseline_rss: 5_452_595,
            peak_rss: 5_452_595,
            ..MemoryRun::default()
        };
        assert_snapshot!(text(&memit(vec![run])), @"
        peak memory: 5.20 MiB, increment: 0.00 MiB
        heap peak: 0 B in 0 allocations, held after drop: 0 B (1 run)
        ");
    }

    #[test]
    fn the_heap_line_is_that_of_the_run_with_the_highest_increment() {
        let small = MemoryRun {
            heap_peak: 1,
            allocations: 999,
            ..run_of(900 << 20, 1 << 20)
        };
        assert_snapshot!(text(&memit(vec![vector_run(), small])), @"
        peak memory: 901.00 MiB, increment: 100.00 MiB
        heap peak: 100.00 MiB in 1 allocation, held after drop: 0 B (2 runs)
        ");
    }

    #[test]
    fn more_allocated_than_was_alive_at_once() {
        let run = MemoryRun {
            heap_allocated: 20 << 30,
            heap_allocated_requested: Some(20 << 30),
            allocations: 1_234_567,
            heap_retained: 4_096,
            ..vector_run()
        };
        assert_snapshot!(text(&memit(vec![run])), @"
        peak memory: 105.20 MiB, increment: 100.00 MiB
        heap peak: 100.00 MiB, allocated: 20.00 GiB in 1,234,567 allocations, held after drop: 4.00 KiB (1 run)
        ");
    }

    #[test]
    fn memory_from_before_the_run_was_freed() {
        let run = MemoryRun {
            heap_retained: -1_536,
            ..vector_run()
        };
        assert_snapshot!(text(&memit(vec![run])), @"
        peak memory: 105.20 MiB, increment: 100.00 MiB
        heap peak: 100.00 MiB in 1 allocation, held after drop: -1.50 KiB, as it freed memory of the session (1 run)
        ");
    }

    #[test]
    fn blocks_that_are_larger_than_requested() {
        let text_of = |heap_peak_requested, heap_allocated_requested| {
            let run = MemoryRun {
                heap_peak: 48_024,
                heap_allocated: 50_000,
                heap_peak_requested,
                heap_allocated_requested,
                ..vector_run()
            };
            heap(&memit(vec![run]))
        };
        assert_snapshot!(text_of(Some(26_889), Some(49_000)), @"heap peak: 46.90 KiB (26.26 KiB requested), allocated: 48.83 KiB in 1 allocation, held after drop: 0 B (1 run)");
        assert_snapshot!(text_of(Some(47_000), Some(0)), @"heap peak: 46.90 KiB, allocated: 48.83 KiB (0 B requested) in 1 allocation, held after drop: 0 B (1 run)");
        assert_snapshot!(text_of(None, None), @"heap peak: 46.90 KiB, allocated: 48.83 KiB in 1 allocation, held after drop: 0 B (1 run)");
    }

    #[test]
    fn threads_that_still_ran() {
        let result = MemitResult::from(MemoryMeasurement {
            outlasting: 2,
            ..measured_memory(vec![vector_run()])
        });
        assert_snapshot!(notes::of_memory(&result).join("\n"), @"2 threads of the statements still ran after 10 s: what came later is not measured");
    }

    #[test]
    fn an_exabyte() {
        let run = MemoryRun {
            heap_peak: 1 << 60,
            heap_allocated: 1 << 60,
            heap_peak_requested: Some(1 << 60),
            heap_allocated_requested: Some(1 << 60),
            ..run_of(1 << 60, 1 << 60)
        };
        assert_snapshot!(text(&memit(vec![run])), @"
        peak memory: 2199023255552.00 MiB, increment: 1099511627776.00 MiB
        heap peak: 1.00 EiB in 1 allocation, held after drop: 0 B (1 run)
        ");
    }

    #[test]
    fn a_session_with_threads_runs_in_place() {
        let result = MemitResult::from(MemoryMeasurement {
            isolated: false,
            threads: 5,
            ..measured_memory(vec![vector_run()])
        });
        assert_snapshot!(text(&result), @"
        peak memory: 105.20 MiB, increment: 100.00 MiB
        heap peak: 100.00 MiB in 1 allocation, held after drop: 0 B (1 run)
        ran in place, not in a fork of the session
        ");
    }

    #[test]
    fn every_doubt_about_a_peak_is_said() {
        let note = |source| {
            let result = MemitResult::from(MemoryMeasurement {
                isolated: false,
                source,
                children: true,
                ..measured_memory(vec![vector_run()])
            });
            notes::of_memory(&result).join("\n")
        };
        assert_snapshot!(note(Source::Sampled), @"
        ran in place, not in a fork of the session
        peak sampled: short peaks may be missed
        child processes are included
        ");
        assert_snapshot!(note(Source::Maxrss), @"
        ran in place, not in a fork of the session
        peak from ru_maxrss: it covers the whole life of the measured process
        child processes are included
        ");
    }

    #[test]
    fn the_variable_of_an_assignment_shows_the_first_line() {
        let report = Report::of(&memit(vec![vector_run()]), ());
        assert_snapshot!(report.repr, @"<MemitResult : peak memory: 105.20 MiB, increment: 100.00 MiB>");
        assert_eq!(report.json["peak_memory"], 110_310_195);
    }
}
