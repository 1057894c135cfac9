//! Merges samples with the run's own readings.

use std::collections::HashMap;
use std::ops::Range;

use memit_measurement::{Moment, Point, Series, Span};

use super::log::{Entry, EntryKind, Reading};

/// Samples and readings, merged. Times of series and spans are from the start of the run.
pub(super) struct Assembled {
    pub(super) rss: Series,
    pub(super) heap: Series,
    pub(super) spans: Vec<Span>,
    /// Start and end of the run, in the time of the log.
    pub(super) run: Range<u64>,
}

/// Merges `rss` and `heap`, samples in order of time, with `entries`, which begin with the start of
/// the run. `max_rss` is an upper bound, used when the entries contain no exact peak.
pub(super) fn assemble(
    entries: &[Entry],
    rss: &[Point],
    heap: &[Point],
    max_rss: Option<u64>,
) -> Assembled {
    let Some(first) = entries.first() else {
        return Assembled {
            rss: Series::default(),
            heap: Series::default(),
            spans: Vec::new(),
            run: 0..0,
        };
    };
    let start = first.reading.at.time_ns;
    let has_ended = entries
        .last()
        .is_some_and(|entry| entry.kind == EntryKind::RunEnds);
    let own = |of: fn(&Reading) -> (u64, u64)| {
        let own = entries.iter().map(move |entry| {
            let (bytes, peak) = of(&entry.reading);
            let time_ns = entry.reading.at.time_ns;
            OwnReading {
                point: Point { time_ns, bytes },
                peak,
            }
        });
        own.collect::<Vec<_>>()
    };
    let mut resident = merge(
        rss,
        &own(|reading| (reading.at.rss, reading.peak_rss)),
        has_ended,
    );
    let live = if heap.is_empty() && !cfg!(heap_hooks) {
        Vec::new()
    } else {
        merge(
            heap,
            &own(|reading| (reading.at.heap, reading.peak_heap)),
            has_ended,
        )
    };
    let is_metered = entries.iter().any(|entry| entry.reading.peak_rss > 0);
    if let Some(peak) = max_rss.filter(|_| !is_metered) {
        put_peak(&mut resident, 0, peak);
    }
    let ends = [resident.last(), live.last()];
    let end = ends.into_iter().flatten().map(|point| point.time_ns).max();
    let end = end.unwrap_or(start);
    let spans = spans(entries, &resident, &live);
    let from_start = |points: Vec<Point>| {
        Series::of(points.into_iter().map(|point| Point {
            time_ns: point.time_ns - start,
            ..point
        }))
    };
    Assembled {
        rss: from_start(resident),
        heap: from_start(live),
        spans: spans.into_iter().map(|span| moved(span, start)).collect(),
        run: start..end,
    }
}

/// A reading that the run took itself, and the peak since the previous reading.
struct OwnReading {
    point: Point,
    peak: u64,
}

/// Merges samples and readings in order of time, and adds the peaks that they missed.
fn merge(samples: &[Point], own: &[OwnReading], has_ended: bool) -> Vec<Point> {
    let mut merged = Vec::with_capacity(samples.len() + own.len());
    let mut samples = samples.iter().copied().peekable();
    let start = own.first().map_or(0, |first| first.point.time_ns);
    while samples.next_if(|sample| sample.time_ns <= start).is_some() {}
    for OwnReading { point, peak } in own {
        let before = merged.len().saturating_sub(1);
        while let Some(sample) = samples.next_if(|sample| sample.time_ns <= point.time_ns) {
            merged.push(sample);
        }
        merged.push(*point);
        put_peak(&mut merged, before, *peak);
    }
    if !has_ended {
        merged.extend(samples);
    }
    merged
}

/// Inserts a peak among the points from `from` on, unless a point is as high. The peak goes next to
/// the highest point, which saw most of the peak.
pub(super) fn put_peak(points: &mut Vec<Point>, from: usize, bytes: u64) {
    let part = &points[from..];
    let Some((at, highest)) = part.iter().enumerate().reduce(|one, other| {
        if other.1.bytes > one.1.bytes {
            other
        } else {
            one
        }
    }) else {
        return;
    };
    if highest.bytes >= bytes {
        return;
    }
    // After the highest point, or before it if that point is the last.
    let at = if at + 1 == part.len() { at } else { at + 1 };
    let Some(before) = at.checked_sub(1) else {
        // There is only one point.
        let time_ns = highest.time_ns;
        points.push(Point { time_ns, bytes });
        return;
    };
    let time_ns = u64::midpoint(part[before].time_ns, part[at].time_ns);
    points.insert(from + at, Point { time_ns, bytes });
}

/// The spans of the log, each with its peaks.
fn spans(entries: &[Entry], rss: &[Point], heap: &[Point]) -> Vec<Span> {
    let last = |points: &[Point]| points.last().copied().unwrap_or_default();
    let (last_rss, last_heap) = (last(rss), last(heap));
    let end = Moment {
        time_ns: last_rss.time_ns.max(last_heap.time_ns),
        rss: last_rss.bytes,
        heap: last_heap.bytes,
    };
    let mut spans: Vec<Span> = Vec::new();
    let mut threads: Vec<u32> = entries
        .first()
        .map(|entry| entry.thread)
        .into_iter()
        .collect();
    for entry in entries {
        match &entry.kind {
            EntryKind::SpanBegins(_, label) => spans.push(Span {
                label: label.clone(),
                start: entry.reading.at,
                end,
                peak_rss: 0,
                peak_heap: 0,
                level: 0,
                thread: place_of(entry.thread, &mut threads),
                unfinished: true,
            }),
            EntryKind::SpanEnds(number) => {
                // Spans are numbered in the order of their starts.
                if let Some(span) = spans.get_mut(*number as usize) {
                    span.end = entry.reading.at;
                    span.unfinished = false;
                }
            }
            EntryKind::RunBegins | EntryKind::RunEnds => {}
        }
    }
    // A run that finished has finished its open spans too.
    let has_ended = entries
        .last()
        .is_some_and(|entry| entry.kind == EntryKind::RunEnds);
    for span in &mut spans {
        span.unfinished &= !has_ended;
        let (start, end) = (span.start.time_ns, span.end.time_ns);
        // The peak of a reading counts from the previous reading, which is not before the start.
        let readings = between(entries, |entry| entry.reading.at.time_ns, start + 1, end);
        let ends = [span.start, span.end];
        let peak = |points: &[Point], own: fn(&Reading) -> u64, at: fn(&Moment) -> u64| {
            let sampled = between(points, |point| point.time_ns, start, end);
            let sampled = sampled.iter().map(|point| point.bytes);
            let noted = readings.iter().map(|entry| own(&entry.reading));
            let all = sampled.chain(noted).chain(ends.iter().map(at));
            all.max().unwrap_or_default()
        };
        let peak_rss = peak(rss, |reading| reading.peak_rss, |at| at.rss);
        let peak_heap = peak(heap, |reading| reading.peak_heap, |at| at.heap);
        (span.peak_rss, span.peak_heap) = (peak_rss, peak_heap);
    }
    set_levels(&mut spans);
    spans
}

/// The elements of `all`, sorted by time, whose time is from `start` to `end`.
fn between<T>(all: &[T], time: impl Fn(&T) -> u64, start: u64, end: u64) -> &[T] {
    let from = all.partition_point(|each| time(each) < start);
    let to = all.partition_point(|each| time(each) <= end);
    all.get(from..to).unwrap_or_default()
}

/// The place of a thread among `threads`, to which it is added.
fn place_of(thread: u32, threads: &mut Vec<u32>) -> u32 {
    let place = threads.iter().position(|known| *known == thread);
    let place = place.unwrap_or_else(|| {
        threads.push(thread);
        threads.len() - 1
    });
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Gives each span the lowest level that no other span of its thread has at the same time. `spans` must
/// be in the order of their starts.
fn set_levels(spans: &mut [Span]) {
    let mut taken_by: HashMap<u32, Vec<u64>> = HashMap::new();
    for span in spans {
        let start = span.start.time_ns;
        let taken = taken_by.entry(span.thread).or_default();
        // A level is free if its span ends when this span begins.
        let level = taken.iter().position(|end| *end <= start);
        let level = level.unwrap_or(taken.len());
        if level == taken.len() {
            taken.push(0);
        }
        taken[level] = span.end.time_ns;
        span.level = u32::try_from(level).unwrap_or(u32::MAX);
    }
}

fn moved(span: Span, start: u64) -> Span {
    let moved = |moment: Moment| Moment {
        time_ns: moment.time_ns.saturating_sub(start),
        ..moment
    };
    Span {
        start: moved(span.start),
        end: moved(span.end),
        ..span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(time_ns: u64, bytes: u64, peak: u64) -> Reading {
        Reading {
            at: Moment {
                time_ns,
                rss: bytes,
                heap: bytes / 10,
            },
            peak_rss: peak,
            peak_heap: peak / 10,
        }
    }

    fn entry(kind: EntryKind, reading: Reading) -> Entry {
        Entry {
            kind,
            thread: 70,
            reading,
        }
    }

    fn begins(number: u32, label: &str) -> EntryKind {
        EntryKind::SpanBegins(number, label.to_owned())
    }

    fn points(points: &[(u64, u64)]) -> Vec<Point> {
        let points = points.iter();
        points
            .map(|&(time_ns, bytes)| Point { time_ns, bytes })
            .collect()
    }

    fn pairs(series: &Series) -> Vec<(u64, u64)> {
        let points = series.points();
        points.map(|point| (point.time_ns, point.bytes)).collect()
    }

    #[test]
    fn a_series_goes_from_the_start_of_the_run_to_its_end() {
        let entries = [
            entry(EntryKind::RunBegins, reading(100, 50, 0)),
            entry(EntryKind::RunEnds, reading(200, 60, 60)),
        ];
        let samples = points(&[(90, 7), (110, 55), (150, 58), (210, 9)]);
        let assembled = assemble(&entries, &samples, &[], None);
        assert_eq!(
            pairs(&assembled.rss),
            [(0, 50), (10, 55), (50, 58), (100, 60)]
        );
        assert_eq!(assembled.run, 100..200);
    }

    #[test]
    fn a_peak_that_no_sample_saw_stands_beside_the_highest_sample() {
        let entries = [
            entry(EntryKind::RunBegins, reading(0, 10, 0)),
            entry(begins(0, "spike"), reading(40, 10, 10)),
            entry(EntryKind::SpanEnds(0), reading(60, 10, 99)),
            entry(EntryKind::RunEnds, reading(100, 10, 30)),
        ];
        let samples = points(&[(20, 10), (80, 29), (90, 10)]);
        let assembled = assemble(&entries, &samples, &[], None);
        assert_eq!(
            pairs(&assembled.rss),
            [
                (0, 10),
                (20, 10),
                (40, 10),
                // Somewhere in the phase.
                (50, 99),
                (60, 10),
                (80, 29),
                // After the sample that saw nearly all of it.
                (85, 30),
                (90, 10),
                (100, 10)
            ]
        );
        assert_eq!(assembled.spans[0].peak_rss, 99);
        assert_eq!(assembled.spans[0].peak_heap, 9);
    }

    #[test]
    fn a_peak_that_a_sample_saw_is_shown_once() {
        let entries = [
            entry(EntryKind::RunBegins, reading(0, 10, 0)),
            entry(EntryKind::RunEnds, reading(100, 10, 70)),
        ];
        let samples = points(&[(50, 70)]);
        let assembled = assemble(&entries, &samples, &[], None);
        assert_eq!(pairs(&assembled.rss), [(0, 10), (50, 70), (100, 10)]);
        // The run's own peak is exact, so the peak of its process is ignored.
        let assembled = assemble(&entries, &samples, &[], Some(5_000));
        assert_eq!(assembled.rss.peak().bytes, 70);
    }

    #[test]
    fn the_peak_of_the_process_stands_in_for_an_unknown_peak_of_the_run() {
        let entries = [
            entry(EntryKind::RunBegins, reading(0, 10, 0)),
            entry(EntryKind::RunEnds, reading(100, 10, 0)),
        ];
        let assembled = assemble(&entries, &[], &[], Some(80));
        assert_eq!(pairs(&assembled.rss), [(0, 10), (50, 80), (100, 10)]);
    }

    #[test]
    fn a_killed_run_ends_at_its_last_sample_with_unfinished_spans() {
        let entries = [
            entry(EntryKind::RunBegins, reading(1_000, 10, 0)),
            entry(begins(0, "outer"), reading(1_010, 10, 10)),
            entry(begins(1, "done"), reading(1_020, 20, 20)),
            entry(EntryKind::SpanEnds(1), reading(1_030, 20, 25)),
        ];
        let samples = points(&[(1_025, 20), (1_040, 44), (1_050, 30)]);
        let assembled = assemble(&entries, &samples, &[], None);
        assert_eq!(assembled.run, 1_000..1_050);
        let [outer, done] = &assembled.spans[..] else {
            panic!("{:?}", assembled.spans);
        };
        assert!(outer.unfinished && !done.unfinished);
        assert_eq!((outer.start.time_ns, outer.end.time_ns), (10, 50));
        assert_eq!((outer.peak_rss, outer.end.rss), (44, 30));
        assert_eq!((done.peak_rss, done.end.rss), (25, 20));
        assert_eq!((outer.level, done.level), (0, 1));
    }

    #[test]
    fn a_phase_is_finished_if_the_run_finishes_within_it() {
        let entries = [
            entry(EntryKind::RunBegins, reading(0, 10, 0)),
            entry(begins(0, "to the end"), reading(10, 10, 10)),
            entry(EntryKind::RunEnds, reading(30, 12, 90)),
        ];
        let spans = assemble(&entries, &[], &[], None).spans;
        assert!(!spans[0].unfinished);
        assert_eq!((spans[0].end.time_ns, spans[0].peak_rss), (30, 90));
    }

    #[test]
    fn phases_one_after_the_other_share_a_level_and_overlapping_ones_do_not() {
        let entries = [
            entry(EntryKind::RunBegins, reading(0, 1, 0)),
            entry(begins(0, "a"), reading(1, 1, 0)),
            entry(begins(1, "b"), reading(2, 1, 0)),
            entry(EntryKind::SpanEnds(0), reading(3, 1, 0)),
            entry(begins(2, "c"), reading(3, 1, 0)),
            entry(begins(3, "d"), reading(4, 1, 0)),
            entry(EntryKind::SpanEnds(1), reading(5, 1, 0)),
            entry(EntryKind::SpanEnds(2), reading(6, 1, 0)),
            entry(EntryKind::SpanEnds(3), reading(7, 1, 0)),
            entry(EntryKind::RunEnds, reading(8, 1, 0)),
        ];
        let spans = assemble(&entries, &[], &[], None).spans;
        let levels: Vec<_> = spans
            .iter()
            .map(|span| (span.label.as_str(), span.level))
            .collect();
        assert_eq!(levels, [("a", 0), ("b", 1), ("c", 0), ("d", 2)]);
    }

    #[test]
    fn phases_of_another_thread_have_levels_of_their_own() {
        let on = |thread, kind, time_ns| Entry {
            thread,
            ..entry(kind, reading(time_ns, 1, 0))
        };
        let entries = [
            on(70, EntryKind::RunBegins, 0),
            on(70, begins(0, "main"), 1),
            on(72, begins(1, "second"), 2),
            on(71, begins(2, "third"), 3),
            on(72, begins(3, "within second"), 4),
            on(70, begins(4, "within main"), 5),
            on(70, EntryKind::RunEnds, 9),
        ];
        let spans = assemble(&entries, &[], &[], None).spans;
        let places: Vec<_> = spans
            .iter()
            .map(|span| (span.label.as_str(), span.thread, span.level))
            .collect();
        let expected = [
            ("main", 0, 0),
            ("second", 1, 0),
            ("third", 2, 0),
            ("within second", 1, 1),
            ("within main", 0, 1),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_run_that_has_not_begun_is_empty() {
        let assembled = assemble(&[], &points(&[(5, 5)]), &[], Some(9));
        assert!(assembled.rss.bytes.is_empty() && assembled.spans.is_empty());
    }
}
