//! `%mprof` in lines of text.

use std::fmt::Write as _;

use super::notes;
use crate::chart::{self, Chart, PhaseTable};
use crate::result::MprofResult;
use crate::units;

/// Characters in a line, as in a terminal.
const WIDTH: usize = 80;
/// Height of the curves in lines.
const HEIGHT: usize = 10;
/// With more phases than this, phases of the same name share a row.
pub(super) const MOST_PHASES: usize = 30;
/// Names keep at least this many characters, even if the line becomes too long.
const SHORTEST_NAME: usize = 12;

pub(super) fn text(result: &MprofResult, title: Option<&str>) -> String {
    let mut lines = vec![summary(result), details(result)];
    if let Some(chart) = Chart::of_timeline(&result.measurement, title) {
        lines.extend(chart::uncolored(&chart, WIDTH, HEIGHT));
        lines.extend(table(&PhaseTable::of(&chart, MOST_PHASES)));
    }
    lines.extend(notes::stopped(result));
    lines.extend(notes::of_timeline(result));
    lines.join("\n")
}

/// The text of an unfinished measurement.
pub(super) fn preview(result: &MprofResult, title: Option<&str>) -> String {
    let mut lines = vec![format!("{}, {} so far", running(result), summary(result))];
    if let Some(chart) = Chart::of_timeline(&result.measurement, title) {
        lines.extend(chart::uncolored(&chart, WIDTH, HEIGHT));
    }
    lines.join("\n")
}

/// `running: 1.3 s`
pub(super) fn running(result: &MprofResult) -> String {
    format!("running: {}", time(result.measurement.wall_ns))
}

/// The line in the format of Python's `memory_profiler`.
pub(super) fn summary(result: &MprofResult) -> String {
    format!(
        "peak memory: {}, increment: {}",
        units::mib(result.peak_memory),
        units::mib(result.increment)
    )
}

fn details(result: &MprofResult) -> String {
    format!(
        "heap peak: {} above the start, time: {} ({})",
        units::bytes(result.heap_peak),
        time(result.measurement.wall_ns),
        sampling(result)
    )
}

/// `132 samples, every 10 ms`
pub(super) fn sampling(result: &MprofResult) -> String {
    let measured = &result.measurement;
    let samples = units::counted(&units::count(measured.samples), "sample");
    if measured.interval_ns == 0 {
        return samples;
    }
    format!("{samples}, every {}", time(measured.interval_ns))
}

/// A time with three digits.
pub(super) fn time(ns: u64) -> String {
    units::time(ns as f64, 3)
}

/// A table of the phases, with nested phases indented.
fn table(table: &PhaseTable) -> Vec<String> {
    if table.rows.is_empty() {
        return Vec::new();
    }
    let width = |text: &str| text.chars().count();
    let [first, headers @ ..] = PhaseTable::HEADERS;
    let headers = headers.map(str::to_owned);
    let cells: Vec<_> = table.rows.iter().map(|row| table.cells(row)).collect();
    let mut widths = headers.each_ref().map(|header| width(header));
    for cell in &cells {
        for (widest, cell) in widths.iter_mut().zip(cell) {
            *widest = width(cell).max(*widest);
        }
    }
    let others: usize = widths.iter().map(|width| width + 2).sum();
    let room = WIDTH.saturating_sub(others).max(SHORTEST_NAME);
    let names = table.rows.iter().map(|row| {
        let indent = "  ".repeat(row.level().min(8));
        let name = row.name(room.saturating_sub(indent.len()));
        indent + &name
    });
    let names: Vec<String> = [first.to_owned()].into_iter().chain(names).collect();
    let longest = names.iter().map(|name| width(name)).max();
    let longest = longest.unwrap_or_default();
    let line = |(name, cells): (&String, &[String; 5])| {
        let mut line = format!("{name:<longest$}");
        for (cell, width) in cells.iter().zip(widths) {
            write!(line, "  {cell:>width$}").expect("a String takes every text");
        }
        line
    };
    let lines = names.iter().zip([&headers].into_iter().chain(&cells));
    [String::new()]
        .into_iter()
        .chain(lines.map(line))
        .chain(table.more())
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use memit_measurement::{Failure, FailureKind, Source, TimelineMeasurement};
    use memit_measurement::{Moment, Span};

    use super::super::Report;
    use super::super::samples::mprof;
    use super::*;

    fn shown(change: impl FnOnce(&mut TimelineMeasurement)) -> String {
        text(&mprof(change), Some("%%mprof"))
    }

    /// The text from the line that starts with `start`.
    fn from<'a>(text: &'a str, start: &str) -> &'a str {
        let at = text.find(&format!("\n{start}")).unwrap();
        &text[at + 1..]
    }

    #[test]
    fn a_run_with_phases() {
        assert_snapshot!(shown(|_| ()), @"
        peak memory: 155.00 MiB, increment: 150.00 MiB
        heap peak: 149.00 MiB above the start, time: 1.3 s (130 samples, every 10 ms)
             %%mprof
         MiB
            │                                           ▼ peak 155.00 MiB
            │                                      ⢀⣀⣤⠔⠞⡇
            │                                ⣀⡠⢤⠔⠶⠉⠋    ⡇
            │                          ⢀⡠⠤⠒⡪⠉⠒ ⠁        ⢱⡀
         100┤                      ⢀⡠⢔⠊⠕ ⠉              ⠈⠨⡑⠢⢄⡀
            │                   ⣀⢤⠊⠕ ⠁                     ⠈⠂⠨⡑⠢⢄⡀
            │               ⢀⢤⠒⠝ ⠁                             ⠐⠂⢈⡑⠢⢄⡀
            │           ⢀⡠⠔⠮⠁⠁                                     ⠐⠂⢈⡑⠢⢄⡀
            │        ⣀⠤⠶⠁⠉                                             ⠐⠄⢈⠑⠢⢄⣀⣀⣀⣀⣀⣀
           0┤⣤⠤⣤⠤⣤⠤⠶⠉⠉                                                    ⠁⠐⠄⢀⡀⢀⡀⢀⡀
            └┬──────────┬─────────┬──────────┬─────────┬──────────┬──────────┬─────
             0.0       0.2       0.4        0.6       0.8        1.0        1.2 s
             ── RSS, peak 155.00 MiB at 800 ms
             ╌╌ heap, peak 150.00 MiB at 800 ms

        phase            from    took  memory at start      at end        peak
        load data.csv  100 ms  400 ms         6.00 MiB  105.00 MiB  105.00 MiB
        sort           500 ms  700 ms       105.00 MiB   20.00 MiB  155.00 MiB
          merge        790 ms   15 ms       150.00 MiB  130.00 MiB  155.00 MiB
        ");
    }

    #[test]
    fn a_phase_of_another_thread_is_not_nested_and_names_the_thread() {
        let text = shown(|measured| {
            let merge = &mut measured.spans[2];
            (merge.thread, merge.level) = (2, 0);
        });
        assert_snapshot!(from(&text, "phase"), @"
        phase               from    took  memory at start      at end        peak
        load data.csv     100 ms  400 ms         6.00 MiB  105.00 MiB  105.00 MiB
        sort              500 ms  700 ms       105.00 MiB   20.00 MiB  155.00 MiB
        merge (thread 3)  790 ms   15 ms       150.00 MiB  130.00 MiB  155.00 MiB
        ");
    }

    #[test]
    fn a_large_session_that_grows_by_little_is_looked_at_closely() {
        let text = shown(|measured| {
            for bytes in &mut measured.rss.bytes {
                *bytes = *bytes / 20 + (1 << 30);
            }
            for bytes in &mut measured.heap.bytes {
                *bytes = *bytes / 20 + (200 << 20);
            }
            measured.spans.clear();
        });
        assert_snapshot!(text, @"
        peak memory: 1031.75 MiB, increment: 7.50 MiB
        heap peak: 7.45 MiB above the start, time: 1.3 s (130 samples, every 10 ms)
              %%mprof
          MiB
             │                                          ▼ peak 1031.75 MiB
             │                                    ⣀⣀⡤⠔⠒⠊⡇
         1030┤                             ⢀⣀⠤⠤⠒⠚⠉⠉     ⢱
             │                        ⣀⠤⠶⠊⠛⠁⠁           ⠘⢢⣄⣀
             │                   ⢀⣠⠤⠖⠉⠉                    ⠐⠋⠲⡢⠤⣀
             │               ⣀⣤⠔⠚⠁⠁                            ⠈⠂⠩⠕⠢⠤⣀
             │          ⢀⣀⠤⠒⠋                                      ⠈⠁⠐⠍⢑⠒⠤⣀⡀
         1025┤      ⢀⡠⠔⠊⠉                                               ⠁⠐⠂⢈⡑⠒⠒⠒⠒⠒⠒
             │⠉⠉⠉⠉⠉⠉⠁                                                        ⠈⠁⠈⠁⠈⠁
             │
             └┬─────────┬──────────┬─────────┬──────────┬─────────┬──────────┬─────
              0.0      0.2        0.4       0.6        0.8       1.0        1.2 s
              ── RSS, peak 1031.75 MiB at 800 ms
              ╌╌ heap, peak 207.50 MiB at 800 ms (drawn 824.20 MiB higher)
        ");
    }

    #[test]
    fn a_run_in_place_that_was_stopped_in_a_phase() {
        let text = shown(|measured| {
            let (start, end) = (measured.spans[0].start, measured.spans[0].end);
            measured.spans = vec![Span {
                label: "a phase with a name that describes all its work and why".to_owned(),
                start,
                end,
                peak_rss: 105 << 20,
                unfinished: true,
                ..Span::default()
            }];
            measured.failure = Some(Failure {
                cause: FailureKind::Interrupted,
                peak_rss: None,
                threads: 3,
                in_place: true,
                needs_fresh: false,
            });
            measured.isolated = false;
            measured.threads = 3;
            measured.source = Source::Sampled;
            measured.children = true;
            measured.left_out = 1_200;
        });
        assert_snapshot!(from(&text, "phase "), @"
        phase                      from    took  memory at start      at end        peak
        a phase w… (unfinished)  100 ms  400 ms         6.00 MiB  105.00 MiB  105.00 MiB
        stopped early: the measurement was interrupted
        1,200 more phases followed, which were counted but not recorded
        ran in place, not in a fork of the session
        peak sampled: short peaks may be missed
        child processes are included
        ");
        assert!(text.contains("── RSS with children, peak 155.00 MiB at 800 ms"));
    }

    #[test]
    fn many_calls_of_a_function_are_one_row() {
        let many = |names: u64| {
            shown(|measured| {
                let call = |at: u64| {
                    let moment = |time_ns| Moment {
                        time_ns,
                        rss: at << 10,
                        heap: 0,
                    };
                    let (start, long) = (at * 1_000_000, 1_000 * (1 + at % names));
                    Span {
                        label: format!("f{}", at % names),
                        start: moment(start),
                        end: moment(start + long),
                        peak_rss: at << 11,
                        ..Span::default()
                    }
                };
                measured.spans = (0..1_000).map(call).collect();
            })
        };
        assert_snapshot!(from(&many(2), "phase "), @"
        phase    from    took  memory at start      at end      peak
        f0 ×500  0 ns  500 μs              0 B  998.00 KiB  1.95 MiB
        f1 ×500  1 ms    1 ms         1.00 KiB  999.00 KiB  1.95 MiB
        ");
        let text = many(50);
        assert!(text.ends_with("\nand phases of 20 more names"), "{text}");
        // The longest phases are kept.
        assert!(text.contains("\nf49 ×20 ") && !text.contains("\nf19 ×20 "));
    }

    #[test]
    fn no_line_is_longer_than_those_of_a_terminal() {
        let text = shown(|measured| measured.spans[1].label = "a long name ".repeat(20));
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert_eq!(longest, Some(80));
    }

    #[test]
    fn a_run_of_fifty_microseconds_has_an_axis_of_its_own() {
        let text = shown(|measured| {
            let times = measured.rss.time_ns.iter_mut();
            for time in times.chain(&mut measured.heap.time_ns) {
                *time /= 26_000;
            }
            measured.spans.clear();
            measured.wall_ns = 50_000;
        });
        assert!(
            text.contains("50 μs") && text.contains("at 30.77 μs"),
            "{text}"
        );
    }

    #[test]
    fn a_run_that_ended_before_memory_was_read_has_no_chart() {
        let nothing = MprofResult::from(TimelineMeasurement {
            isolated: true,
            ..TimelineMeasurement::default()
        });
        assert_snapshot!(text(&nothing, None), @"
        peak memory: 0.00 MiB, increment: 0.00 MiB
        heap peak: 0 B above the start, time: 0 ns (0 samples)
        ");
        assert_snapshot!(preview(&nothing, None), @"
        running: 0 ns, peak memory: 0.00 MiB, increment: 0.00 MiB so far
        ");
    }

    #[test]
    fn a_preview_shows_the_run_so_far() {
        let preview = preview(&mprof(|_| ()), None);
        let (first, _) = preview.split_once('\n').unwrap();
        assert_snapshot!(first, @"
        running: 1.3 s, peak memory: 155.00 MiB, increment: 150.00 MiB so far
        ");
        assert!(preview.contains("▼ peak 155.00 MiB") && !preview.contains("load data.csv"));
    }

    #[test]
    fn the_variable_of_an_assignment_shows_the_first_line() {
        let report = Report::of(&mprof(|_| ()), None);
        assert_snapshot!(report.repr, @"
        <MprofResult : peak memory: 155.00 MiB, increment: 150.00 MiB>
        ");
        assert_eq!(report.json["peak_memory"], 155 << 20);
    }
}
