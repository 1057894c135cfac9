//! The result of `%mprof`.

use memit_measurement::{Failure, Moment, Series, Span, TimelineMeasurement};
use serde::Serialize;

use super::rust_value::RustValue;
use super::to_rust::ToRust;
use crate::failure;

/// Memory over time. Sizes are in bytes, times in nanoseconds from the start of the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "magic", rename = "mprof")]
pub struct MprofResult {
    /// Highest resident set size.
    pub peak_memory: u64,
    /// `peak_memory` minus the resident set size at the start.
    pub increment: u64,
    /// Highest live heap, minus the live heap at the start.
    pub heap_peak: u64,
    /// The measurement.
    #[serde(flatten)]
    pub measurement: TimelineMeasurement,
}

impl From<TimelineMeasurement> for MprofResult {
    fn from(measurement: TimelineMeasurement) -> Self {
        let above_start = |series: &Series| series.peak().bytes.saturating_sub(series.baseline());
        Self {
            peak_memory: measurement.rss.peak().bytes,
            increment: above_start(&measurement.rss),
            heap_peak: above_start(&measurement.heap),
            measurement,
        }
    }
}

impl MprofResult {
    /// This result as an `MprofResult` of `MprofSeries` and `MprofSpan`s, with the fields of the
    /// JSON; `stopped` replaces `failure` and describes it in words.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(self)
    }
}

rust_struct! {
    MprofResult as "MprofResult" { peak_memory, increment, heap_peak } with measurement
}

rust_fields! {
    TimelineMeasurement {
        rss, heap, spans, left_out, samples, interval_ns, started_ns, wall_ns, source, children,
        isolated, threads, outlasting, failure as stopped,
    }
}

rust_struct! {
    Series as "MprofSeries" { time_ns, bytes }
}

// `String::from` for each of thousands of spans would compile slowly, so a label is a `&str`.
rust_struct! {
    Span as "MprofSpan" { label: String::as_str, start, end, peak_rss, peak_heap, level, thread, unfinished }
}

rust_struct! {
    Moment as "MprofMoment" { time_ns, rss, heap }
}

/// A failure is a text in the user's session.
impl ToRust for Failure {
    fn rust_type() -> String {
        String::rust_type()
    }

    fn literal(&self) -> String {
        failure::message(self).literal()
    }
}

#[cfg(test)]
mod tests {
    use memit_measurement::{FailureKind, Point, Source};

    use super::super::rust_value::tests::run_with;
    use super::*;

    fn series(points: &[(u64, u64)]) -> Series {
        Series::of(
            points
                .iter()
                .map(|&(time_ns, bytes)| Point { time_ns, bytes }),
        )
    }

    fn moment(time_ns: u64, rss: u64, heap: u64) -> Moment {
        Moment { time_ns, rss, heap }
    }

    fn measured() -> TimelineMeasurement {
        TimelineMeasurement {
            rss: series(&[(0, 5_000), (30, 9_000), (50, 6_000)]),
            heap: series(&[(0, 100), (30, 4_100), (50, 40)]),
            spans: vec![Span {
                label: "load \"a\"".to_owned(),
                start: moment(10, 5_000, 100),
                end: moment(40, 6_000, 40),
                peak_rss: 9_000,
                peak_heap: 4_100,
                level: 0,
                thread: 1,
                unfinished: false,
            }],
            samples: 1,
            interval_ns: 10_000_000,
            started_ns: 1_700_000_000_000_000_042,
            wall_ns: 50,
            isolated: true,
            threads: 1,
            ..TimelineMeasurement::default()
        }
    }

    #[test]
    fn peaks_are_those_of_the_series() {
        let result = MprofResult::from(measured());
        assert_eq!((result.peak_memory, result.increment), (9_000, 4_000));
        assert_eq!(result.heap_peak, 4_000);
        let nothing = MprofResult::from(TimelineMeasurement::default());
        assert_eq!((nothing.peak_memory, nothing.increment), (0, 0));
    }

    #[test]
    fn json_has_the_magic_first_and_all_that_was_measured() {
        let json = serde_json::to_string(&MprofResult::from(measured())).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"magic":"mprof","peak_memory":9000,"increment":4000,"heap_peak":4000,"#,
                r#""rss":{"time_ns":[0,30,50],"bytes":[5000,9000,6000]},"#,
                r#""heap":{"time_ns":[0,30,50],"bytes":[100,4100,40]},"#,
                r#""spans":[{"label":"load \"a\"","start":{"time_ns":10,"rss":5000,"heap":100},"#,
                r#""end":{"time_ns":40,"rss":6000,"heap":40},"peak_rss":9000,"peak_heap":4100,"#,
                r#""level":0,"thread":1,"unfinished":false}],"left_out":0,"samples":1,"#,
                r#""interval_ns":10000000,"started_ns":1700000000000000042,"wall_ns":50,"#,
                r#""source":"vmhwm","children":false,"isolated":true,"threads":1,"outlasting":0,"failure":null}"#
            )
        );
        assert_eq!(
            serde_json::from_str::<TimelineMeasurement>(&json).unwrap(),
            measured()
        );
    }

    #[test]
    fn a_program_can_read_the_result_as_a_rust_value() {
        let mut measurement = measured();
        measurement.source = Source::Sampled;
        measurement.failure = Some(Failure {
            cause: FailureKind::Interrupted,
            peak_rss: None,
            threads: 1,
            in_place: false,
            needs_fresh: false,
        });
        let printed = run_with(
            &MprofResult::from(measurement).rust_value(),
            "mprof",
            r#"let span = &r.spans[0];
            print!("{} {} {} ", r.peak_memory, r.rss.bytes[1], r.heap.time_ns.len());
            print!("{} {} {} ", span.label, span.end.time_ns - span.start.time_ns, span.peak_heap);
            print!("{} {} {:?}", r.started_ns, r.source, r.stopped)"#,
        );
        assert_eq!(
            printed,
            "9000 9000 3 load \"a\" 30 4100 1700000000000000042 sampled \
             Some(\"the measurement was interrupted\")"
        );
    }

    #[test]
    fn a_long_series_and_many_spans_are_a_value_too() {
        let mut measurement = measured();
        measurement.rss = Series::of((0..4_096).map(|at| Point {
            time_ns: at,
            bytes: u64::MAX - at,
        }));
        measurement.heap = measurement.rss.clone();
        measurement.spans = vec![measurement.spans[0].clone(); 1_000];
        let value = MprofResult::from(measurement).rust_value();
        let printed = run_with(
            &value,
            "mprof-long",
            "print!(\"{} {}\", r.heap.bytes[4_095], r.spans.len())",
        );
        assert_eq!(printed, "18446744073709547520 1000");
    }

    #[test]
    fn the_structs_are_the_same_for_every_result() {
        let nothing = MprofResult::from(TimelineMeasurement::default()).rust_value();
        assert_eq!(
            nothing.items,
            MprofResult::from(measured()).rust_value().items
        );
        assert_eq!(
            run_with(&nothing, "mprof-empty", "print!(\"{}\", r.spans.len())"),
            "0"
        );
    }
}
