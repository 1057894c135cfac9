//! The result of `%timeit`.

use memit_measurement::{Clock, MemoryRun, Source, TimeMeasurement};
use serde::Serialize;

use super::rust_value::RustValue;
use crate::stats;

/// The time of a snippet. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "magic", rename = "timeit")]
pub struct TimeitResult {
    /// Executions of the snippet in each run.
    pub loops: u64,
    /// Number of runs.
    pub repeat: usize,
    /// Total time of each run, in the order in which they ran.
    pub all_runs: Vec<u64>,
    /// Time per loop of each run.
    pub timings: Vec<f64>,
    /// Time per loop of the fastest run.
    pub best: f64,
    /// Time per loop of the slowest run.
    pub worst: f64,
    /// Mean of the timings.
    pub average: f64,
    /// Standard deviation of the timings, as of a whole population.
    pub stdev: f64,
    /// Time that the snippet took to compile.
    pub compile_time: u64,
    /// The clock that was read.
    pub clock: Clock,
    /// Whether the runs were made in a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Time of a round of an empty loop, the shortest measured beside the runs; 0 if no loop took less
    /// than 10 ns.
    pub empty_loop: f64,
    /// By how much the time of a loop may be off, because the clock is read around set-ups; 0 if it
    /// is not.
    pub clock_error: f64,
    /// Highest growth of the live heap over the loops; 0 if the snippet does not grow what it works
    /// on.
    pub grown: u64,
    /// How often a run was continued in a new fork, because the memory had grown.
    pub restarts: u32,
    /// Threads that the snippet had started and that still ran at the end.
    pub outlasting: u32,
    /// The memory of the snippet; absent if it was not measured.
    pub memory: Option<TimeitMemory>,
    /// Significant digits to show. Part of the view, not of the data.
    #[serde(skip)]
    pub precision: usize,
}

/// The memory of a timed snippet, measured in a pass of its own. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeitMemory {
    /// Executions of the snippet in that pass.
    pub loops: u64,
    /// Heap obtained per loop.
    pub heap_allocated: f64,
    /// The same in requested sizes of blocks; absent where they are not known.
    pub heap_allocated_requested: Option<f64>,
    /// Allocations per loop.
    pub allocations: f64,
    /// Highest resident set size of the pass.
    pub peak_memory: u64,
    /// Growth of the resident set size in the pass.
    pub increment: u64,
    /// Highest live heap above the start of the pass.
    pub heap_peak: u64,
    /// Heap still held after the pass. Negative if the snippet freed memory of the session.
    pub heap_retained: i64,
    /// The source of the peak.
    pub source: Source,
}

impl TimeitResult {
    /// The result of a measurement. Compiling the snippet took `compile_time` nanoseconds; reports
    /// show `precision` significant digits.
    ///
    /// Best, worst, mean and deviation are computed as in `IPython`'s `TimeitResult`.
    pub fn new(measurement: TimeMeasurement, compile_time: u64, precision: usize) -> Self {
        let per_loop = measurement.loops.max(1) as f64;
        let timings: Vec<f64> = measurement
            .all_runs
            .iter()
            .map(|&run| run as f64 / per_loop)
            .collect();
        Self {
            loops: measurement.loops,
            repeat: measurement.all_runs.len(),
            best: stats::best(&timings),
            worst: stats::worst(&timings),
            average: stats::mean(&timings),
            stdev: stats::standard_deviation(&timings),
            timings,
            all_runs: measurement.all_runs,
            compile_time,
            clock: measurement.clock,
            isolated: measurement.isolated,
            threads: measurement.threads,
            empty_loop: measurement.empty_loop_ns,
            clock_error: measurement.clock_error_ns,
            grown: measurement.grown,
            restarts: measurement.restarts,
            outlasting: measurement.outlasting,
            memory: measurement
                .memory
                .map(|run| TimeitMemory::new(&run, measurement.memory_loops, measurement.source)),
            precision,
        }
    }

    /// The ratio of the slowest run to the fastest, if it casts doubt on the mean: above four, with
    /// a slowest run above a microsecond. These are `IPython`'s thresholds.
    pub fn suspicious_spread(&self) -> Option<f64> {
        let suspicious = self.best > 0.0 && self.worst > 4.0 * self.best && self.worst > 1e3;
        suspicious.then(|| self.worst / self.best)
    }

    /// Whether a loop took hardly longer than an empty loop beside the same runs. The time does not
    /// tell statements that the compiler has removed from a few instructions, which processors
    /// execute beside those of the loop. The margin allows for changing clock rates and shared cores.
    pub fn work_may_be_removed(&self) -> bool {
        self.repeat > 0 && self.best < 2.5 * self.empty_loop
    }

    /// This result as a `TimeitResult` with a `TimeitMemory`, with the fields of the JSON.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(self)
    }
}

rust_struct! {
    TimeitResult as "TimeitResult" {
        loops, repeat, all_runs, timings, best, worst, average, stdev, compile_time, clock,
        isolated, threads, empty_loop, clock_error, grown, restarts, outlasting, memory,
    } without precision
}

rust_struct! {
    TimeitMemory as "TimeitMemory" {
        loops, heap_allocated, heap_allocated_requested, allocations, peak_memory, increment, heap_peak, heap_retained,
        source,
    }
}

impl TimeitMemory {
    fn new(run: &MemoryRun, loops: u64, source: Source) -> Self {
        let per_loop = loops.max(1) as f64;
        Self {
            loops,
            heap_allocated: run.heap_allocated as f64 / per_loop,
            heap_allocated_requested: run
                .heap_allocated_requested
                .map(|requested| requested as f64 / per_loop),
            allocations: run.allocations as f64 / per_loop,
            peak_memory: run.peak_rss,
            increment: run.increment,
            heap_peak: run.heap_peak,
            heap_retained: run.heap_retained,
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust_value::tests::run_with;
    use super::*;

    fn measurement(loops: u64, all_runs: &[u64]) -> TimeMeasurement {
        TimeMeasurement {
            loops,
            all_runs: all_runs.to_vec(),
            isolated: true,
            threads: 1,
            empty_loop_ns: 0.25,
            ..TimeMeasurement::default()
        }
    }

    fn with_memory(loops: u64, all_runs: &[u64]) -> TimeMeasurement {
        TimeMeasurement {
            memory: Some(MemoryRun {
                baseline_rss: 5_000,
                peak_rss: 5_100,
                increment: 100,
                heap_peak: 64,
                heap_allocated: 96,
                allocations: 3,
                heap_peak_requested: Some(60),
                heap_allocated_requested: Some(90),
                heap_retained: 0,
                wall_ns: 10,
            }),
            memory_loops: 2,
            ..measurement(loops, all_runs)
        }
    }

    #[test]
    fn statistics_are_per_loop() {
        let result = TimeitResult::new(measurement(4, &[8, 16]), 0, 3);
        assert_eq!(result.timings, [2.0, 4.0]);
        assert_eq!((result.best, result.worst), (2.0, 4.0));
        assert_eq!((result.average, result.stdev), (3.0, 1.0));
        assert_eq!(result.repeat, 2);
    }

    #[test]
    fn a_spread_is_suspicious_above_four_times_and_a_microsecond() {
        let spread =
            |runs: &[u64]| TimeitResult::new(measurement(1, runs), 0, 3).suspicious_spread();
        assert_eq!(spread(&[1_000, 5_000]), Some(5.0));
        assert_eq!(spread(&[1_000, 4_000]), None);
        assert_eq!(spread(&[100, 1_000]), None);
        assert_eq!(spread(&[0, 5_000]), None);
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn the_work_of_a_loop_as_fast_as_an_empty_one_may_be_removed() {
        let removed = |loops, runs: &[u64]| {
            TimeitResult::new(measurement(loops, runs), 0, 3).work_may_be_removed()
        };
        assert!(removed(1_000, &[50, 60]));
        assert!(!removed(1_000, &[900, 1_000]));
        let not_compared = TimeMeasurement {
            empty_loop_ns: 0.0,
            ..measurement(1_000, &[0])
        };
        assert!(!TimeitResult::new(not_compared, 0, 3).work_may_be_removed());
    }

    #[test]
    fn json_has_the_fields_that_readers_of_notebooks_rely_on() {
        let json = serde_json::to_string(&TimeitResult::new(with_memory(4, &[8, 16]), 7, 3));
        assert_eq!(
            json.unwrap(),
            concat!(
                r#"{"magic":"timeit","loops":4,"repeat":2,"all_runs":[8,16],"timings":[2.0,4.0],"#,
                r#""best":2.0,"worst":4.0,"average":3.0,"stdev":1.0,"compile_time":7,"#,
                r#""clock":"wall","isolated":true,"threads":1,"empty_loop":0.25,"clock_error":0.0,"#,
                r#""grown":0,"restarts":0,"outlasting":0,"memory":{"loops":2,"#,
                r#""heap_allocated":48.0,"heap_allocated_requested":45.0,"allocations":1.5,"peak_memory":5100,"increment":100,"#,
                r#""heap_peak":64,"heap_retained":0,"source":"vmhwm"}}"#
            )
        );
    }

    #[test]
    fn json_says_null_where_memory_was_not_measured() {
        let json = serde_json::to_value(TimeitResult::new(measurement(4, &[8]), 7, 3)).unwrap();
        assert!(json["memory"].is_null());
    }

    #[test]
    fn a_program_can_read_the_result_as_a_rust_value() {
        let result = TimeitResult::new(with_memory(3, &[10, u64::MAX]), 7, 3);
        let printed = run_with(
            &result.rust_value(),
            "time",
            r#"print!("{:?} {:?} {} {}", r.timings, r.all_runs, r.clock, r.memory.as_ref().unwrap().allocations)"#,
        );
        let expected = format!("{:?} {:?} wall 1.5", result.timings, result.all_runs);
        assert_eq!(printed, expected);
    }

    #[test]
    fn the_structs_are_the_same_for_every_result() {
        let with = TimeitResult::new(with_memory(4, &[8]), 7, 3).rust_value();
        let mut without = TimeitResult::new(measurement(4, &[8]), 7, 3);
        without.average = f64::NAN;
        let without = without.rust_value();
        assert_eq!(with.items, without.items);
        let printed = run_with(
            &without,
            "time-bare",
            "print!(\"{} {:?}\", r.average.is_nan(), r.memory)",
        );
        assert_eq!(printed, "true None");
    }
}
