//! Turns a measurement of `%mprof` into a profile and into a file.

use std::fmt;
use std::time::Duration;

use memit_measurement::mprof_format;
use memit_measurement::{Moment, Point, Source, TimelineMeasurement};

use super::{Profile, Sample, Span, lanes};
use crate::result::MprofResult;

impl From<&TimelineMeasurement> for Profile {
    /// The profile, in seconds from the start of the run. Seconds since 1970 in an `f64` have a
    /// resolution of a quarter of a microsecond, which is too coarse for short runs.
    fn from(measured: &TimelineMeasurement) -> Self {
        let mut heap: Vec<Sample> = measured.heap.points().map(sample).collect();
        let moments = measured
            .spans
            .iter()
            .flat_map(|span| [span.start, span.end]);
        if !heap.is_empty() {
            heap.extend(moments.map(|moment| at(moment, moment.heap)));
            heap.sort_by(|one, other| one.time.total_cmp(&other.time));
        }
        Self {
            command: None,
            samples: measured.rss.points().map(sample).collect(),
            heap,
            children: Vec::new(),
            spans: measured.spans.iter().map(span).collect(),
            at_most: None,
            problems: Vec::new(),
        }
    }
}

fn span(span: &memit_measurement::Span) -> Span {
    Span {
        name: span.label.clone(),
        start: at(span.start, span.start.rss),
        end: at(span.end, span.end.rss),
        level: usize::try_from(span.level).unwrap_or(usize::MAX),
        thread: usize::try_from(span.thread).unwrap_or(usize::MAX),
        peak: Some(span.peak_rss),
        is_unfinished: span.unfinished,
    }
}

fn at(moment: Moment, bytes: u64) -> Sample {
    sample(Point {
        time_ns: moment.time_ns,
        bytes,
    })
}

fn sample(point: Point) -> Sample {
    Sample {
        time: Duration::from_nanos(point.time_ns).as_secs_f64(),
        memory: point.bytes,
        is_peak: false,
    }
}

/// The file of a result: the resident memory with its exact peak, and phases as functions. The
/// format cannot store the heap. `command` is the command line of the run.
pub fn of_result(result: &MprofResult, command: &str) -> String {
    let mut out = String::new();
    write(&mut out, &result.measurement, command).expect("a String takes all that is written");
    out
}

fn write(out: &mut String, measured: &TimelineMeasurement, command: &str) -> fmt::Result {
    let started = Duration::from_nanos(measured.started_ns);
    let sample = |memory, time_ns| mprof_format::Sample {
        memory,
        time: started + Duration::from_nanos(time_ns),
    };
    let words: Vec<&str> = command.split_whitespace().collect();
    mprof_format::command(out, &words)?;
    let peak = measured.rss.peak();
    let peak = (measured.source != Source::Sampled).then_some(peak);
    for point in measured.rss.points() {
        let is_peak = peak == Some(point);
        mprof_format::memory(out, sample(point.bytes, point.time_ns), is_peak)?;
    }
    // The format knows no threads, but whoever draws its functions knows levels.
    let lanes = lanes(&measured.spans.iter().map(span).collect::<Vec<_>>());
    for (span, lane) in measured.spans.iter().zip(lanes) {
        let at = |moment: Moment| sample(moment.rss, moment.time_ns);
        let (start, end) = (at(span.start), at(span.end));
        mprof_format::function(out, &span.label, start, end, lane as u64)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;
    use memit_measurement::Series;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn measured() -> TimelineMeasurement {
        let series = |points: &[(u64, u64)]| {
            Series::of(points.iter().map(|&(time_ns, mib)| Point {
                time_ns,
                bytes: mib * MIB,
            }))
        };
        let moment = |time_ns, rss, heap| Moment {
            time_ns,
            rss: rss * MIB,
            heap: heap * MIB,
        };
        TimelineMeasurement {
            rss: series(&[(0, 10), (20_300, 150), (30_000, 150), (50_001, 12)]),
            heap: series(&[(0, 4), (20_300, 120), (50_001, 5)]),
            spans: vec![memit_measurement::Span {
                label: "load data.csv".to_owned(),
                start: moment(7, 10, 4),
                end: moment(40_000, 12, 5),
                peak_rss: 151 * MIB,
                ..memit_measurement::Span::default()
            }],
            started_ns: 1_700_000_000_000_000_999,
            ..TimelineMeasurement::default()
        }
    }

    #[test]
    fn a_run_of_fifty_microseconds_keeps_its_times_and_its_exact_peaks() {
        let profile = Profile::from(&measured());
        let times: Vec<u64> = profile
            .curve()
            .iter()
            .map(|sample| crate::units::whole(sample.time * 1e9))
            .collect();
        assert_eq!(times, [0, 7, 20_300, 30_000, 40_000, 50_001]);
        assert_eq!(profile.peak().unwrap().memory, 150 * MIB);
        assert_eq!(profile.peak_within(&profile.spans[0]), 151 * MIB);
        let heap: Vec<u64> = profile
            .heap
            .iter()
            .map(|sample| sample.memory / MIB)
            .collect();
        assert_eq!(heap, [4, 4, 120, 5, 5]);
    }

    #[test]
    fn the_file_is_mprofs_and_can_be_read_back() {
        let result = MprofResult::from(measured());
        let file = of_result(&result, "%mprof -l 1\n  load(\"data.csv\")");
        assert_snapshot!(file.replace('\u{a0}', "~"), @r#"
        CMDLINE %mprof -l 1 load("data.csv")
        MEM 10.000000 1700000000.000000
        MEM 150.000000 1700000000.000021 peak
        MEM 150.000000 1700000000.000030
        MEM 12.000000 1700000000.000051
        FUNC load~data.csv 10.000000 1700000000.000001 12.000000 1700000000.000040 0
        "#);
        let read = Profile::parse(file.as_bytes(), Path::new("x.dat")).unwrap();
        assert_eq!(read.spans[0].name, "load data.csv");
        assert_eq!(read.spans[0].end.memory, 12 * MIB);
        assert_eq!(read.peak().unwrap().memory, 150 * MIB);
        assert!(read.peak().unwrap().is_peak);
        assert_eq!(read.samples.len(), 4);
    }

    #[test]
    fn phases_of_another_thread_are_no_phases_within_the_first_ones() {
        let mut measured = measured();
        let own = measured.spans[0].clone();
        let places = [(0, 0), (0, 1), (2, 0), (1, 0), (1, 1)];
        measured.spans = places
            .map(|(thread, level)| memit_measurement::Span {
                thread,
                level,
                ..own.clone()
            })
            .to_vec();
        let file = of_result(&MprofResult::from(measured), "f()");
        let functions = file.lines().filter(|line| line.starts_with("FUNC"));
        let levels: Vec<_> = functions
            .filter_map(|line| line.split(' ').next_back())
            .collect();
        assert_eq!(levels, ["0", "1", "4", "2", "3"]);
    }

    #[test]
    fn a_sampled_peak_is_a_sample() {
        let mut sampled = measured();
        sampled.source = Source::Sampled;
        let file = of_result(&MprofResult::from(sampled), "f()");
        assert!(!file.contains("peak"));
    }
}
