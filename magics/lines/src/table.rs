//! Columns of figures beside the lines of a function.

use std::fmt::Write as _;

use crate::notes;
use crate::{Figures, Function, Line, Profile};

/// A column of figures, aligned to the right.
pub(crate) struct Column {
    pub(crate) header: &'static str,
    /// Minimum width, with the gap before the column.
    pub(crate) width: usize,
}

/// Mark in front of the number of the line that was running when the run stopped.
const STOPPED_HERE: &str = ">";

/// Minimum width of the line number.
const NUMBER: usize = 6;

/// The table of a function: number, figures and source of each line. `cells` returns the figures of a
/// line, one per column, or `None`. The source begins `gap` characters after the last column.
pub(crate) fn table<const N: usize>(
    function: &Function,
    columns: &[Column; N],
    gap: usize,
    cells: impl Fn(&Line) -> Option<[String; N]>,
) -> String {
    let rows: Vec<_> = function
        .lines
        .iter()
        .map(|line| (line, cells(line)))
        .collect();
    let mut widths: [usize; N] = std::array::from_fn(|column| columns[column].width);
    for cells in rows.iter().filter_map(|(_, cells)| cells.as_ref()) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count() + 1);
        }
    }
    let headers = columns.each_ref().map(|column| column.header);
    let header = row("Line #", &headers, &widths, gap, "Line Contents");
    let rule = "=".repeat(header.chars().count());
    let mut lines = vec![header, rule];
    for (line, cells) in &rows {
        let number = number(line.number, function.stopped_at == Some(line.number));
        let cells = match cells {
            Some(cells) => cells.each_ref().map(String::as_str),
            None => [""; N],
        };
        let row = row(&number, &cells, &widths, gap, &line.source);
        lines.push(row.trim_end().to_owned());
    }
    lines.join("\n")
}

/// The lines below the tables: why the run stopped, and `notes`.
pub(crate) fn below(profile: &Profile, notes: Vec<String>) -> String {
    let marked = profile
        .functions
        .iter()
        .any(|function| function.stopped_at.is_some());
    let stopped = notes::stopped(profile).map(|note| {
        if marked {
            format!("{note} ({STOPPED_HERE} is the line that was running)")
        } else {
            note
        }
    });
    let all: Vec<String> = stopped.into_iter().chain(notes).collect();
    all.join("\n")
}

/// Executions; blank for a closing brace, which has figures but no executions.
pub(crate) fn hits(figures: &Figures) -> String {
    if figures.hits == 0 {
        String::new()
    } else {
        figures.hits.to_string()
    }
}

fn number(number: u32, stopped: bool) -> String {
    if stopped {
        let width = NUMBER - STOPPED_HERE.len();
        format!("{STOPPED_HERE}{number:>width$}")
    } else {
        number.to_string()
    }
}

fn row(number: &str, cells: &[&str], widths: &[usize], gap: usize, source: &str) -> String {
    let mut row = format!("{number:>NUMBER$}");
    for (cell, &width) in cells.iter().zip(widths) {
        write!(row, "{cell:>width$}").expect("a String takes every text");
    }
    row.push_str(&" ".repeat(gap));
    row.push_str(source);
    row
}
