//! Time line by line as text, in the layout of Python's `line_profiler` 5.

use crate::notes;
use crate::table::{self, Column};
use crate::units;
use crate::{Figures, Function, Place, Profile};

/// The widths are the defaults in the configuration of `line_profiler`.
const COLUMNS: [Column; 4] = [
    Column {
        header: "Hits",
        width: 10,
    },
    Column {
        header: "Time",
        width: 13,
    },
    Column {
        header: "Per Hit",
        width: 9,
    },
    Column {
        header: "% Time",
        width: 9,
    },
];

/// A number with more characters than this is written with an exponent.
const HITS_DIGITS: usize = 9;
const TIME_DIGITS: usize = 12;
const PER_HIT_DIGITS: usize = 8;

/// Between the last figure and the source.
const GAP: usize = 2;

/// How times are shown: the options of `%lprun`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TimeText {
    /// Unit of the columns, in seconds (`-u`). `None` is a nanosecond in text, and the unit that fits in
    /// HTML.
    pub unit: Option<f64>,
    /// Leave out functions that never ran (`-z`, or the older name `-s`).
    pub strip_zeros: bool,
}

impl TimeText {
    /// A table per function and the notes, with blank lines between them. No newline at the end.
    pub fn text(&self, profile: &Profile) -> String {
        let mut blocks = vec![format!(
            "Timer unit: {} s",
            units::general(self.unit_seconds(), 6)
        )];
        blocks.extend(self.shown(profile).map(|function| self.block(function)));
        if blocks.len() == 1 {
            blocks.push(notes::nothing_shown(profile).to_owned());
        }
        blocks.push(table::below(profile, notes::of(profile)));
        blocks.join("\n\n")
    }

    /// The functions that are shown.
    pub fn shown<'a>(&self, profile: &'a Profile) -> impl Iterator<Item = &'a Function> {
        let strip_zeros = self.strip_zeros;
        profile
            .functions
            .iter()
            .filter(move |function| !strip_zeros || function.figures().any(|line| line.hits > 0))
    }

    /// A time in nanoseconds as a number of units, with one decimal; with three digits and an
    /// exponent if the number would be longer than `digits`.
    fn in_unit(&self, ns: f64, digits: usize) -> String {
        let value = ns * (1e-9 / self.unit_seconds());
        let fixed = format!("{value:.1}");
        if fixed.len() > digits {
            units::general(value, 3)
        } else {
            fixed
        }
    }

    fn unit_seconds(&self) -> f64 {
        self.unit.unwrap_or(1e-9)
    }

    fn block(&self, function: &Function) -> String {
        let total = function.time_ns();
        let place = match &function.place {
            Place::Cell { number } => format!("Cell: [{number}]\n"),
            Place::File(path) => format!("File: {path}\n"),
            Place::Unknown => String::new(),
        };
        let table = table::table(function, &COLUMNS, GAP, |line| {
            line.active().map(|figures| self.cells(figures, total))
        });
        let never = if function.calls == 0 {
            "\nnever called"
        } else {
            ""
        };
        format!(
            "Total time: {} s\n{place}Function: {} at line {}\n\n{table}{never}",
            units::general(total as f64 / 1e9, 6),
            function.name,
            function.first
        )
    }

    fn cells(&self, figures: &Figures, total: u64) -> [String; 4] {
        let per_hit = figures.ns_per_hit();
        let percent = figures.percent_of(total);
        [
            hits(figures),
            self.in_unit(figures.time_ns as f64, TIME_DIGITS),
            per_hit.map_or_else(String::new, |ns| self.in_unit(ns, PER_HIT_DIGITS)),
            percent.map_or_else(String::new, |percent| format!("{percent:.1}")),
        ]
    }
}

fn hits(figures: &Figures) -> String {
    let hits = table::hits(figures);
    if hits.len() > HITS_DIGITS {
        units::general(figures.hits as f64, 6)
    } else {
        hits
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::samples::{calculate_z, function, of_time, stopped, time};
    use crate::{Clock, Kind};

    fn nanoseconds(profile: &Profile) -> String {
        TimeText::default().text(profile)
    }

    fn idle() -> Function {
        let mut idle = function(
            "idle",
            1,
            "fn idle() {\n    nap();\n}",
            &[(2, Figures::default())],
        );
        idle.calls = 0;
        idle
    }

    #[test]
    fn a_julia_set_in_nanoseconds() {
        assert_snapshot!(nanoseconds(&of_time(vec![calculate_z()])));
    }

    #[test]
    fn seconds_are_asked_for_by_unit() {
        let seconds = TimeText {
            unit: Some(1.0),
            ..TimeText::default()
        };
        assert_snapshot!(seconds.text(&of_time(vec![calculate_z()])));
    }

    /// What `line_profiler` 5.1 prints for these hits and times, to the character.
    #[test]
    fn rows_are_those_of_line_profiler() {
        let source = "\
def slow():
    for i in range(3):
        time.sleep(0.2)
    x = 0
    for i in range(2000000):
        x += i";
        let f = function(
            "slow",
            19,
            source,
            &[
                (20, time(4, 13_930)),
                (21, time(3, 600_552_637)),
                (22, time(1, 1_382)),
                (23, time(2_000_001, 166_007_916)),
                (24, time(2_000_000, 225_176_812)),
            ],
        );
        let text = nanoseconds(&of_time(vec![f]));
        let tables = text.split("\n\ntime sampled").next().unwrap();
        assert_eq!(
            tables,
            "\
Timer unit: 1e-09 s

Total time: 0.991753 s
Cell: [3]
Function: slow at line 19

Line #      Hits         Time  Per Hit   % Time  Line Contents
==============================================================
    19                                           def slow():
    20         4      13930.0   3482.5      0.0      for i in range(3):
    21         3  600552637.0    2e+08     60.6          time.sleep(0.2)
    22         1       1382.0   1382.0      0.0      x = 0
    23   2000001  166007916.0     83.0     16.7      for i in range(2000000):
    24   2000000  225176812.0    112.6     22.7          x += i"
        );
    }

    #[test]
    fn numbers_too_long_for_a_column_have_an_exponent() {
        let f = function(
            "f",
            1,
            "f();\ng();",
            &[(1, time(1, u64::MAX)), (2, time(12_345_678_901, 5))],
        );
        assert_snapshot!(nanoseconds(&of_time(vec![f])));
    }

    #[test]
    fn functions_that_never_ran_can_be_left_out() {
        let profile = of_time(vec![idle(), calculate_z()]);
        assert!(nanoseconds(&profile).contains("never called"));
        let stripping = TimeText {
            strip_zeros: true,
            ..TimeText::default()
        };
        assert_eq!(
            stripping.text(&profile),
            nanoseconds(&of_time(vec![calculate_z()]))
        );
        assert_snapshot!(stripping.text(&of_time(vec![idle()])), @"
        Timer unit: 1e-09 s

        no function was called

        time sampled every 100 μs: 2,968 samples in 301 ms
        ");
    }

    #[test]
    fn no_time_at_all_has_no_percentage() {
        assert_snapshot!(nanoseconds(&of_time(vec![
            function("f", 1, "f();", &[(1, time(1, 0))]),
            idle(),
        ])));
    }

    #[test]
    fn a_brace_has_time_but_no_hits() {
        let mut f = function(
            "f",
            1,
            "    a();\n}",
            &[(1, time(2, 300)), (2, time(0, 100))],
        );
        f.place = Place::File("src/main.rs".to_owned());
        assert_snapshot!(nanoseconds(&of_time(vec![f])));
    }

    #[test]
    fn the_counter_is_read_at_every_probe_until_the_run_is_interrupted() {
        let mut f = calculate_z();
        f.stopped_at = Some(19);
        let profile = Profile {
            kind: Kind::Time {
                clock: Clock::Exact { probe_ns: 7.52 },
            },
            threaded: true,
            outlasting: 0,
            stopped: Some(stopped("interrupted")),
            ..of_time(vec![f])
        };
        assert_snapshot!(nanoseconds(&profile));
    }

    #[test]
    fn no_functions() {
        assert_snapshot!(nanoseconds(&of_time(Vec::new())), @"
        Timer unit: 1e-09 s

        no function was measured

        time sampled every 100 μs: 2,968 samples in 301 ms
        ");
    }
}
