//! The phases of a chart as the rows of a table.

use std::collections::HashMap;

use maud::{Markup, html};

use super::axis::Axis;
use super::functions::{in_thread, unfinished};
use super::{COLORS, Chart, Phase};
use crate::ellipsis::shortened;
use crate::units;

/// Phases in the order of their starts. If there are too many, phases of the same name share a row,
/// and only the longest rows are kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PhaseTable {
    pub(crate) rows: Vec<Row>,
    memory: Axis,
    /// The number of names without a row.
    pub(crate) left_out: usize,
}

/// One phase, or all phases of one name. Times are in seconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    name: String,
    color: usize,
    level: usize,
    thread: usize,
    /// The number of phases.
    times: usize,
    /// The start of the first phase.
    start: f64,
    /// The total length of all phases.
    seconds: f64,
    /// The memory at the start of the first phase.
    at_start: f64,
    /// The memory at the end of the last phase.
    at_end: f64,
    /// The highest peak of all phases.
    peak: f64,
    is_unfinished: bool,
}

/// Inline styles of a table in a page without a style sheet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableStyle {
    pub(crate) table: Option<&'static str>,
    pub(crate) head: Option<&'static str>,
    pub(crate) row: Option<&'static str>,
    /// For every header and cell; the first column also gets `name`.
    pub(crate) cell: &'static str,
    pub(crate) name: &'static str,
    pub(crate) swatch: &'static str,
    /// The longest name in characters.
    pub(crate) longest_name: usize,
    /// Whether to leave out the caption.
    pub(crate) bare: bool,
}

impl TableStyle {
    /// For a page with a style sheet.
    pub(crate) const PAGE: Self = Self {
        table: None,
        head: None,
        row: None,
        cell: "",
        name: "",
        swatch: "",
        longest_name: usize::MAX,
        bare: false,
    };
}

impl PhaseTable {
    /// Headers of the columns.
    pub(crate) const HEADERS: [&'static str; 6] =
        ["phase", "from", "took", "memory at start", "at end", "peak"];

    /// A table of at most `most` rows.
    pub(crate) fn of(chart: &Chart, most: usize) -> Self {
        let mut phases: Vec<&Phase> = chart.phases.iter().collect();
        phases.sort_by(|one, other| {
            let by_start = one.start.time.total_cmp(&other.start.time);
            by_start.then(one.level.cmp(&other.level))
        });
        let rows: Vec<Row> = phases.iter().map(|phase| Row::of(phase)).collect();
        if rows.len() <= most {
            return Self {
                rows,
                memory: chart.memory.clone(),
                left_out: 0,
            };
        }
        let mut rows = summed_up(rows);
        let left_out = rows.len().saturating_sub(most);
        rows.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
        rows.truncate(most);
        rows.sort_by(|one, other| one.start.total_cmp(&other.start));
        Self {
            rows,
            memory: chart.memory.clone(),
            left_out,
        }
    }

    /// A note about phases without a row: `and phases of 3 more names`.
    pub(crate) fn more(&self) -> Option<String> {
        let names = units::counted(&units::count(self.left_out as u64), "more name");
        (self.left_out > 0).then(|| format!("and phases of {names}"))
    }

    /// The cells behind the name.
    pub(crate) fn cells(&self, row: &Row) -> [String; 5] {
        let taken = if row.seconds > 0.0 {
            seconds(row.seconds)
        } else {
            // Timestamps take no time.
            "–".to_owned()
        };
        [
            seconds(row.start),
            taken,
            self.memory.size(row.at_start),
            self.memory.size(row.at_end),
            self.memory.size(row.peak),
        ]
    }

    /// As a `table` element.
    pub(crate) fn html(&self, style: &TableStyle) -> Markup {
        let first = [style.cell, style.name].concat();
        let rest = style.cell.to_owned();
        let of = |column: usize| {
            let style = if column == 0 { &first } else { &rest };
            (!style.is_empty()).then_some(style)
        };
        html! {
            table style=[style.table] {
                @if !style.bare { caption { "Phases" } }
                thead style=[style.head] {
                    tr style=[style.row] {
                        @for (column, header) in Self::HEADERS.iter().enumerate() {
                            th style=[of(column)] { (header) }
                        }
                    }
                }
                tbody {
                    @for row in &self.rows {
                        tr style=[style.row] {
                            @let is_long = row.name.chars().count() > style.longest_name;
                            td title=[is_long.then_some(&row.name)] style=(format!(
                                "{first}padding-left:{}px", 16 * row.level.min(20)
                            )) {
                                i style=(format!(
                                    "{}background:{}", style.swatch, COLORS[row.color]
                                )) {}
                                (row.name(style.longest_name))
                            }
                            @for (column, cell) in self.cells(row).iter().enumerate() {
                                td style=[of(column + 1)] { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Row {
    fn of(phase: &Phase) -> Self {
        Self {
            name: phase.name.clone(),
            color: phase.color,
            level: phase.level,
            thread: phase.thread,
            times: 1,
            start: phase.start.time,
            seconds: phase.seconds(),
            at_start: phase.start.memory,
            at_end: phase.end.memory,
            peak: phase.peak,
            is_unfinished: phase.is_unfinished,
        }
    }

    /// The number of phases around it.
    pub(crate) fn level(&self) -> usize {
        self.level
    }

    /// `load`, `load ×3`, `load (unfinished)`, `load (thread 2)`, in at most `longest` characters.
    pub(crate) fn name(&self, longest: usize) -> String {
        let times = match self.times {
            1 => String::new(),
            times => format!(" ×{}", units::count(times as u64)),
        };
        let unfinished = unfinished(self.is_unfinished);
        let more = times + unfinished + &in_thread(self.thread);
        let room = longest.saturating_sub(more.chars().count());
        format!("{}{more}", shortened(&self.name, room))
    }
}

fn seconds(seconds: f64) -> String {
    // Rounding lifts a sum that is a hair below a unit.
    units::time((seconds * 1e9).round(), 4)
}

/// One row for each name in a thread, in the order of first phases.
fn summed_up(rows: Vec<Row>) -> Vec<Row> {
    let mut sums: Vec<Row> = Vec::new();
    let mut places = HashMap::new();
    for row in rows {
        let key = (row.name.clone(), row.thread);
        let Some(&place) = places.get(&key) else {
            places.insert(key, sums.len());
            sums.push(row);
            continue;
        };
        let sum: &mut Row = &mut sums[place];
        sum.times += row.times;
        sum.seconds += row.seconds;
        sum.at_end = row.at_end;
        sum.peak = sum.peak.max(row.peak);
        sum.level = sum.level.min(row.level);
        sum.is_unfinished |= row.is_unfinished;
    }
    sums
}
