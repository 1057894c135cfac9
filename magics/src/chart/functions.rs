//! Functions and phases on a chart.

use std::collections::HashMap;

use super::HUES;
use super::axis::Axis;
use super::curve::{Point, at};
use crate::ellipsis;
use crate::mprof_file::{Profile, lanes};
use crate::units;
use crate::visible::visible;

/// One execution of a function. Times are from the start of the chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phase {
    /// The name, shortened as far as it stays unique.
    pub(super) name: String,
    /// Index into the colours, the same for all executions of a function.
    pub(super) color: usize,
    pub(super) start: Point,
    pub(super) end: Point,
    /// The number of phases of its thread around it.
    pub(super) level: usize,
    /// 0 for the first thread.
    pub(super) thread: usize,
    /// The lane of bars in which the phase is drawn.
    pub(super) lane: usize,
    /// The highest memory during the execution, in bytes.
    pub(super) peak: f64,
    /// The program ended first.
    pub(super) is_unfinished: bool,
}

impl Phase {
    pub(super) fn seconds(&self) -> f64 {
        self.end.time - self.start.time
    }

    pub(super) fn text(&self, axis: &Axis) -> String {
        let taken = units::time(self.seconds() * 1e9, 4);
        let unfinished = unfinished(self.is_unfinished);
        format!(
            "{}{}: {taken}{unfinished}, peak {}",
            self.name,
            in_thread(self.thread),
            axis.size(self.peak)
        )
    }
}

/// Marks a phase that the program did not finish.
pub(super) fn unfinished(is_unfinished: bool) -> &'static str {
    if is_unfinished { " (unfinished)" } else { "" }
}

/// Names the thread of a phase, unless the phase is of the first.
pub(super) fn in_thread(thread: usize) -> String {
    match thread {
        0 => String::new(),
        _ => format!(" ({})", thread_name(thread)),
    }
}

/// `thread 2`: people count from 1.
pub(super) fn thread_name(thread: usize) -> String {
    format!("thread {}", thread.saturating_add(1))
}

/// All executions of a function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Total {
    pub(super) name: String,
    pub(super) color: usize,
    times: usize,
    seconds: f64,
    peak: f64,
    is_unfinished: bool,
}

impl Total {
    /// `name 0.500 s, peak 12.00 MiB`. Times are in `mprof`'s format, except very short ones.
    pub(super) fn text(&self, axis: &Axis) -> String {
        format!("{}{}", self.name, self.figures(axis))
    }

    /// [`Self::text`] in at most `longest` characters, with a shortened name if necessary.
    pub(super) fn shortened(&self, axis: &Axis, longest: usize) -> String {
        let figures = self.figures(axis);
        let room = longest.saturating_sub(figures.chars().count());
        format!("{}{figures}", ellipsis::shortened(&self.name, room))
    }

    fn figures(&self, axis: &Axis) -> String {
        let Self {
            times,
            seconds,
            peak,
            ..
        } = self;
        let taken = match units::whole(seconds * 1e9) {
            // Timestamps take no time.
            0 => String::new(),
            1..10_000_000 => format!(" {}", units::time(seconds * 1e9, 4)),
            _ => format!(" {seconds:.3} s"),
        };
        let unfinished = unfinished(self.is_unfinished);
        let times = if *times == 1 {
            String::new()
        } else {
            format!(" ×{times}")
        };
        format!("{times}{taken}{unfinished}, peak {}", axis.size(*peak))
    }
}

/// The phases of a profile that starts at `start`. Names are whole, or shortened by `mprof`'s rule.
pub(super) fn phases<'a>(profile: &'a Profile, start: f64, whole_names: bool) -> Vec<Phase> {
    let mut functions = Vec::new();
    let mut colors = HashMap::new();
    for span in &profile.spans {
        let next = functions.len();
        colors.entry(span.name.as_str()).or_insert_with(|| {
            functions.push(span.name.as_str());
            // The first colour is the program's.
            1 + next % (HUES - 1)
        });
    }
    let names = if whole_names {
        let whole = |name: &&'a str| (*name, (*name).to_owned());
        functions.iter().map(whole).collect()
    } else {
        short_names(&functions)
    };
    profile
        .spans
        .iter()
        .zip(lanes(&profile.spans))
        .map(|(span, lane)| Phase {
            name: visible(&names[span.name.as_str()]).into_owned(),
            color: colors[span.name.as_str()],
            start: at(span.start, start),
            end: at(span.end, start),
            level: span.level,
            thread: span.thread,
            lane,
            peak: profile.peak_within(span) as f64,
            is_unfinished: span.is_unfinished,
        })
        .collect()
}

/// The totals of each function, in the order of first executions.
pub(super) fn totals(phases: &[Phase]) -> Vec<Total> {
    let mut totals: Vec<Total> = Vec::new();
    let mut places = HashMap::new();
    for phase in phases {
        let at = *places.entry(phase.name.as_str()).or_insert_with(|| {
            totals.push(Total {
                name: phase.name.clone(),
                color: phase.color,
                times: 0,
                seconds: 0.0,
                peak: 0.0,
                is_unfinished: false,
            });
            totals.len() - 1
        });
        let total = &mut totals[at];
        total.times += 1;
        total.seconds += phase.seconds();
        total.peak = total.peak.max(phase.peak);
        total.is_unfinished |= phase.is_unfinished;
    }
    totals
}

/// Names without their modules, as far as they stay unique: `mprof`'s rule.
fn short_names<'a>(names: &[&'a str]) -> HashMap<&'a str, String> {
    let mut short = HashMap::new();
    let mut left: Vec<&str> = names.to_vec();
    for parts in 1.. {
        let label = |name: &str| -> String {
            // The dot in the name of a phase, as in `load data.csv`, separates no modules.
            if name.contains(' ') {
                return name.to_owned();
            }
            let all: Vec<_> = name.split('.').collect();
            all[all.len().saturating_sub(parts)..].join(".")
        };
        let mut seen: HashMap<String, usize> = HashMap::new();
        for name in &left {
            *seen.entry(label(name)).or_default() += 1;
        }
        left.retain(|name| {
            let label = label(name);
            // A whole name cannot get longer.
            let is_done = seen[&label] == 1 || label == **name;
            if is_done {
                short.insert(*name, label);
            }
            !is_done
        });
        if left.is_empty() {
            break;
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_as_far_as_they_stay_unique() {
        let names = [
            "__main__.load",
            "a.b.save",
            "a.c.save",
            "read data.csv",
            "x",
        ];
        let short = short_names(&names);
        let short: Vec<_> = names.iter().map(|name| short[name].as_str()).collect();
        assert_eq!(short, ["load", "b.save", "c.save", "read data.csv", "x"]);
    }

    #[test]
    fn a_name_that_ends_another_stays_apart_from_it() {
        let short = short_names(&["save", "a.save"]);
        assert_eq!(
            (short["save"].as_str(), short["a.save"].as_str()),
            ("save", "a.save")
        );
    }
}
