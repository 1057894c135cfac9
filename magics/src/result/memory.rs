//! The result of `%memit`.

use memit_measurement::{MemoryMeasurement, MemoryRun, Source};
use serde::Serialize;

use super::rust_value::RustValue;

/// The memory of a snippet. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "magic", rename = "memit")]
pub struct MemitResult {
    /// Each repetition, in the order in which they ran.
    pub runs: Vec<MemoryRun>,
    /// Highest resident set size over all runs.
    pub peak_memory: u64,
    /// Highest growth of the resident set size over all runs.
    pub increment: u64,
    /// Whether each run was a fork of the session (false: in place).
    pub isolated: bool,
    /// The source of the peaks.
    pub source: Source,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Whether child processes of the snippet are included in the peaks.
    pub children: bool,
    /// Threads that the snippet had started and that still ran at the end.
    pub outlasting: u32,
}

impl From<MemoryMeasurement> for MemitResult {
    fn from(measurement: MemoryMeasurement) -> Self {
        let MemoryMeasurement {
            runs,
            isolated,
            threads,
            source,
            children,
            outlasting,
        } = measurement;
        let highest = |size: fn(&MemoryRun) -> u64| runs.iter().map(size).max().unwrap_or_default();
        Self {
            peak_memory: highest(|run| run.peak_rss),
            increment: highest(|run| run.increment),
            isolated,
            source,
            threads,
            children,
            outlasting,
            runs,
        }
    }
}

impl MemitResult {
    /// The run with the highest increment; `None` without runs. Of equal runs, the last, as it is
    /// the most warmed up.
    pub fn highest_run(&self) -> Option<&MemoryRun> {
        self.runs.iter().max_by_key(|run| run.increment)
    }

    /// This result as a `MemitResult` of `MemitRun`s, with the fields of the JSON.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(self)
    }
}

rust_struct! {
    MemitResult as "MemitResult" {
        runs, peak_memory, increment, isolated, source, threads, children, outlasting,
    }
}

rust_struct! {
    MemoryRun as "MemitRun" {
        baseline_rss, peak_rss, increment, heap_peak, heap_allocated, allocations,
        heap_peak_requested, heap_allocated_requested, heap_retained, wall_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust_value::tests::run_with;
    use super::*;

    fn run(baseline_rss: u64, increment: u64) -> MemoryRun {
        MemoryRun {
            baseline_rss,
            peak_rss: baseline_rss + increment,
            increment,
            heap_peak: 64,
            heap_allocated: 128,
            allocations: 2,
            heap_peak_requested: Some(60),
            heap_allocated_requested: None,
            heap_retained: -32,
            wall_ns: 1_500,
        }
    }

    fn measured(runs: Vec<MemoryRun>) -> MemitResult {
        MemitResult::from(MemoryMeasurement {
            runs,
            isolated: true,
            threads: 1,
            source: Source::Vmhwm,
            children: false,
            outlasting: 0,
        })
    }

    #[test]
    fn peak_and_increment_may_come_from_different_runs() {
        let result = measured(vec![run(5_000, 10), run(1_000, 300)]);
        assert_eq!(result.peak_memory, 5_010);
        assert_eq!(result.increment, 300);
        assert_eq!(result.highest_run(), Some(&run(1_000, 300)));
    }

    #[test]
    fn no_runs_are_no_memory() {
        let result = measured(Vec::new());
        assert_eq!((result.peak_memory, result.increment), (0, 0));
        assert_eq!(result.highest_run(), None);
    }

    #[test]
    fn json_has_the_fields_that_readers_of_notebooks_rely_on() {
        let json = serde_json::to_string(&measured(vec![run(5_000, 10)])).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"magic":"memit","runs":[{"baseline_rss":5000,"peak_rss":5010,"increment":10,"#,
                r#""heap_peak":64,"heap_allocated":128,"allocations":2,"heap_peak_requested":60,"#,
                r#""heap_allocated_requested":null,"heap_retained":-32,"#,
                r#""wall_ns":1500}],"peak_memory":5010,"increment":10,"isolated":true,"#,
                r#""source":"vmhwm","threads":1,"children":false,"outlasting":0}"#
            )
        );
    }

    #[test]
    fn a_program_can_read_the_result_as_a_rust_value() {
        let result = measured(vec![run(5_000, 10), run(u64::MAX - 300, 300)]);
        let printed = run_with(
            &result.rust_value(),
            "memory",
            r#"print!("{} {} {} {} {}", r.peak_memory, r.increment, r.source, r.runs.len(), r.runs[1].heap_retained)"#,
        );
        assert_eq!(printed, "18446744073709551615 300 vmhwm 2 -32");
    }

    #[test]
    fn the_structs_are_the_same_for_every_result() {
        let one = measured(vec![run(5_000, 10)]).rust_value();
        let none = measured(Vec::new()).rust_value();
        assert_eq!(one.items, none.items);
        assert_eq!(
            run_with(&none, "memory-empty", "print!(\"{}\", r.runs.len())"),
            "0"
        );
    }
}
