//! `%timeit` in lines of text.

use super::{memory_text, notes};
use crate::result::{TimeitMemory, TimeitResult};
use crate::units;

pub(super) fn text(result: &TimeitResult) -> String {
    let mut lines = Vec::new();
    lines.extend(notes::spread(result));
    lines.push(summary(result));
    lines.extend(result.memory.as_ref().map(memory));
    lines.extend(notes::removed_work(result));
    lines.extend(notes::of_time(result));
    lines.join("\n")
}

/// The line in the format of `IPython`.
pub(super) fn summary(result: &TimeitResult) -> String {
    format!("{} per loop ({})", mean(result), extent(result))
}

/// `11.2 ns ± 0.08 ns`.
pub(super) fn mean(result: &TimeitResult) -> String {
    format!(
        "{} ± {}",
        units::time(result.average, result.precision),
        units::time(result.stdev, result.precision)
    )
}

/// `mean ± std. dev. of 7 runs, 1,000 loops each`.
pub(super) fn extent(result: &TimeitResult) -> String {
    format!(
        "mean ± std. dev. of {}, {} each",
        units::counted(&result.repeat.to_string(), "run"),
        units::counted(&units::count(result.loops), "loop")
    )
}

/// Heap per loop, and resident memory of the process.
pub(super) fn memory(memory: &TimeitMemory) -> String {
    let allocations = units::counted(&units::mean_count(memory.allocations), "allocation");
    let requested = memory
        .heap_allocated_requested
        .filter(|requested| memory_text::differs(memory.heap_allocated, *requested))
        .map(|requested| format!(" ({} requested)", units::mean_bytes(requested)));
    format!(
        "{}{} in {allocations} per loop, peak memory: {}, increment: {}",
        units::mean_bytes(memory.heap_allocated),
        requested.unwrap_or_default(),
        units::mib(memory.peak_memory),
        units::mib(memory.increment)
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use memit_measurement::{Clock, MemoryRun, Source, TimeMeasurement};

    use super::super::Report;
    use super::super::samples::{measured_time, timeit};
    use super::*;

    fn without_memory(loops: u64, all_runs: Vec<u64>) -> TimeMeasurement {
        TimeMeasurement {
            loops,
            all_runs,
            memory: None,
            ..measured_time()
        }
    }

    #[test]
    fn a_small_vector_in_seven_runs() {
        assert_snapshot!(text(&timeit(measured_time())), @"
        11.2 ns ± 0.0689 ns per loop (mean ± std. dev. of 7 runs, 10,000,000 loops each)
        64 B in 1 allocation per loop, peak memory: 5.20 MiB, increment: 0.00 MiB
        ");
    }

    #[test]
    fn one_loop_in_one_run() {
        assert_snapshot!(text(&timeit(without_memory(1, vec![63_000_000_000]))), @"1min 3s ± 0 ns per loop (mean ± std. dev. of 1 run, 1 loop each)");
    }

    #[test]
    fn five_digits() {
        let result = TimeitResult::new(without_memory(10_000_000, vec![112_123_456]), 0, 5);
        assert_snapshot!(text(&result), @"11.212 ns ± 0 ns per loop (mean ± std. dev. of 1 run, 10,000,000 loops each)");
    }

    #[test]
    fn runs_that_differ_are_warned_about_first() {
        assert_snapshot!(text(&timeit(without_memory(1, vec![2_000, 2_000, 11_111]))), @"
        The slowest run took 5.56 times longer than the fastest. This could mean that an intermediate result is being cached.
        5.04 μs ± 4.29 μs per loop (mean ± std. dev. of 3 runs, 1 loop each)
        ");
    }

    #[test]
    fn a_part_of_an_allocation_per_loop() {
        let measurement = measured_time();
        let result = timeit(TimeMeasurement {
            memory: Some(MemoryRun {
                heap_allocated: 16_000,
                allocations: 500,
                increment: 3 << 20,
                ..measurement.memory.clone().unwrap()
            }),
            ..measurement
        });
        assert_snapshot!(memory(result.memory.as_ref().unwrap()), @"16 B in 0.5 allocations per loop, peak memory: 5.20 MiB, increment: 3.00 MiB");
    }

    #[test]
    fn work_that_the_compiler_may_have_removed() {
        assert_snapshot!(text(&timeit(without_memory(1_000_000_000, vec![1_000; 7]))), @"
        1e-06 ns ± 0 ns per loop (mean ± std. dev. of 7 runs, 1,000,000,000 loops each)
        as fast as an empty loop (0.312 ns): the statements take a few cycles at most, or the compiler has removed the work or done it at compile time. To keep the work, pass the inputs through black_box: %timeit f(std::hint::black_box(x))
        ");
    }

    #[test]
    fn cpu_time_in_a_session_with_threads_and_a_sampled_peak() {
        let result = timeit(TimeMeasurement {
            clock: Clock::Cpu,
            isolated: false,
            threads: 3,
            source: Source::Sampled,
            ..measured_time()
        });
        assert_snapshot!(text(&result), @"
        11.2 ns ± 0.0689 ns per loop (mean ± std. dev. of 7 runs, 10,000,000 loops each)
        64 B in 1 allocation per loop, peak memory: 5.20 MiB, increment: 0.00 MiB
        CPU time: waiting is not counted
        ran in place, not in a fork of the session
        peak sampled: short peaks may be missed
        ");
    }

    #[test]
    fn statements_that_grow_what_they_work_on() {
        let note = |isolated, restarts| {
            let result = timeit(TimeMeasurement {
                grown: 3 << 20,
                restarts,
                isolated,
                ..measured_time()
            });
            notes::of_time(&result).pop().unwrap()
        };
        assert_snapshot!(note(true, 0), @"the statements grow what they work on: the heap rose by up to 3.00 MiB");
        assert_snapshot!(note(true, 1), @"the statements grow what they work on: the heap rose by up to 3.00 MiB. The runs began anew 1 time with the variables of the session");
        assert_snapshot!(note(false, 0), @"the statements grow what they work on: the heap rose by up to 3.00 MiB, and the session keeps that");
    }

    #[test]
    fn a_clock_that_was_read_between_set_ups() {
        let notes = |clock_error_ns| {
            let result = timeit(TimeMeasurement {
                clock_error_ns,
                ..measured_time()
            });
            notes::of_time(&result)
        };
        assert_snapshot!(notes(0.5).join("\n"), @"the clock was read between set-ups, so the times may be off by 0.5 ns");
        // A hundredth of the time.
        assert_eq!(notes(0.11), [""; 0]);
    }

    #[test]
    fn blocks_that_are_larger_than_requested() {
        let measurement = measured_time();
        let result = timeit(TimeMeasurement {
            memory: Some(MemoryRun {
                heap_allocated: 24_000,
                heap_allocated_requested: Some(5_000),
                ..measurement.memory.clone().unwrap()
            }),
            ..measurement
        });
        assert_snapshot!(memory(result.memory.as_ref().unwrap()), @"24 B (5 B requested) in 1 allocation per loop, peak memory: 5.20 MiB, increment: 0.00 MiB");
    }

    #[test]
    fn a_peak_that_was_not_measured_is_not_doubted() {
        let result = timeit(TimeMeasurement {
            source: Source::Sampled,
            ..without_memory(10, vec![1_000])
        });
        assert_snapshot!(text(&result), @"100 ns ± 0 ns per loop (mean ± std. dev. of 1 run, 10 loops each)");
    }

    #[test]
    fn the_variable_of_an_assignment_shows_ipythons_line() {
        let report = Report::of(&timeit(measured_time()), ());
        assert_snapshot!(report.repr, @"<TimeitResult : 11.2 ns ± 0.0689 ns per loop (mean ± std. dev. of 7 runs, 10,000,000 loops each)>");
        assert_eq!(report.json["magic"], "timeit");
    }
}
