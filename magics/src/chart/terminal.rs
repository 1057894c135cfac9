//! A chart in a terminal, in Braille characters.

use super::braille::Canvas;
use super::curve::{Curve, Point};
use super::functions::{self, Phase};
use super::{Chart, Functions, bytes, legend};
use crate::units;

/// The colours of charts as terminals have them, in the same order; the last is no colour.
const ANSI: [&str; 8] = ["34", "33", "32", "35", "95", "36", "93", "39"];
const PLAIN: usize = 7;
/// Characters right of the curves, where the time axis has its unit.
const UNIT: usize = 6;
/// Functions beyond which the others are only counted.
const MOST_FUNCTIONS: usize = 20;

/// Draws a chart as lines of text, `width` characters wide and at the curves `height` lines high,
/// with the escape sequences of colours.
pub fn terminal(chart: &Chart, width: usize, height: usize) -> String {
    let ticks = chart.memory.ticks((height / 3).max(1));
    let longest = ticks.iter().map(|tick| tick.label.len()).max();
    let margin = longest.unwrap_or_default().max(chart.memory.unit.len()) + 1;
    let columns = width.saturating_sub(margin + UNIT).max(8);
    let mut canvas = Canvas::new(columns, height.max(2));
    let place = Place::of(chart, &canvas);
    // The program last, so that its colour is on top.
    for curve in chart.curves.iter().rev() {
        draw(&mut canvas, curve, &place);
    }
    let mut rows: Vec<_> = canvas.rows().collect();
    for (peak, _) in &chart.marks {
        write_mark(&mut rows, *peak, &place);
    }

    let mut lines = Vec::new();
    if !chart.title.is_empty() {
        let title = legend::shortened(&chart.title, width.saturating_sub(margin + 1) as f64);
        lines.push(format!("{}\x1b[1m{title}\x1b[0m", " ".repeat(margin + 1)));
    }
    lines.push(format!("{:>margin$}", chart.memory.unit));
    for (index, row) in rows.iter().enumerate() {
        let tick = ticks.iter().find(|tick| place.row(tick.value) == index);
        let label = tick.map_or("", |tick| &tick.label);
        let axis = if tick.is_some() { '┤' } else { '│' };
        lines.push(format!("{label:>margin$}{axis}{}", colored(row).trim_end()));
    }
    lines.extend(time_axis(chart, margin, columns));
    lines.extend(
        chart
            .curves
            .iter()
            .map(|curve| curve_line(curve, margin, width)),
    );
    if chart.functions != Functions::Hidden {
        lines.extend(function_lines(chart, margin, columns));
    }
    lines.join("\n") + "\n"
}

/// Where things of a chart are among the dots.
struct Place<'a> {
    chart: &'a Chart,
    width: f64,
    height: f64,
}

impl<'a> Place<'a> {
    fn of(chart: &'a Chart, canvas: &Canvas) -> Self {
        Self {
            chart,
            width: (canvas.width() - 1) as f64,
            height: (canvas.height() - 1) as f64,
        }
    }

    fn x(&self, time: f64) -> f64 {
        self.chart.time.share(time) * self.width
    }

    fn dot(&self, point: Point) -> (i64, i64) {
        let y = (1.0 - self.chart.memory.share(point.memory)) * self.height;
        (whole(self.x(point.time)), whole(y))
    }

    /// The line of characters that a size is on.
    fn row(&self, memory: f64) -> usize {
        let (_, y) = self.dot(Point { time: 0.0, memory });
        usize::try_from(y / 4).unwrap_or_default()
    }
}

fn draw(canvas: &mut Canvas, curve: &Curve, place: &Place<'_>) {
    let points = curve.thinned(canvas.width(), |time| place.x(time));
    let mut before = None;
    for point in points {
        let dot = place.dot(point);
        canvas.line(before.unwrap_or(dot), dot, curve.color);
        before = Some(dot);
    }
    if let (Some(trend), Some(first)) = (curve.trend, curve.points.first()) {
        let end = |time| {
            place.dot(Point {
                time,
                memory: trend.at(time),
            })
        };
        let (from, to) = (end(first.time), end(curve.end()));
        // Every third column, for dashes.
        for x in (from.0..=to.0).step_by(3) {
            let share = (x - from.0) as f64 / (to.0 - from.0).max(1) as f64;
            let y = from.1 as f64 + share * (to.1 - from.1) as f64;
            canvas.set(x, whole(y), curve.color);
        }
    }
}

/// Marks a peak and writes its size beside it, where there is room.
fn write_mark(rows: &mut [Vec<(char, usize)>], peak: Point, place: &Place<'_>) {
    let (x, y) = place.dot(peak);
    let column = usize::try_from(x / 2).unwrap_or_default();
    // The line above the peak; the axis leaves room for it.
    let row = usize::try_from(y / 4).unwrap_or_default().saturating_sub(1);
    let Some(row) = rows.get_mut(row) else {
        return;
    };
    let size = bytes(peak.memory);
    let right = format!("▼ peak {size}");
    let left = format!("peak {size} ▼");
    let length = right.chars().count();
    let (text, from) = if column + length <= row.len() {
        (right, column)
    } else {
        (left, (column + 1).saturating_sub(length))
    };
    for (cell, character) in row.iter_mut().skip(from).zip(text.chars()) {
        *cell = (character, PLAIN);
    }
}

fn time_axis(chart: &Chart, margin: usize, columns: usize) -> [String; 2] {
    let mut axis = vec!['─'; columns];
    let mut labels = vec![' '; columns + UNIT];
    let mut free = 0;
    for tick in chart.time.ticks((columns / 9).max(1)) {
        let column = chart.time.share(tick.value) * (columns - 1) as f64;
        let column = usize::try_from(whole(column)).unwrap_or_default();
        let length = tick.label.chars().count();
        let from = column.saturating_sub(length / 2).max(free);
        if let Some(mark) = axis.get_mut(column) {
            *mark = '┬';
        }
        for (cell, character) in labels.iter_mut().skip(from).zip(tick.label.chars()) {
            *cell = character;
        }
        free = from + length + 1;
    }
    // The unit stands behind the last number.
    for (cell, character) in labels.iter_mut().skip(free).zip(chart.time.unit.chars()) {
        *cell = character;
    }
    let (axis, labels): (String, String) = (axis.iter().collect(), labels.iter().collect());
    let indent = " ".repeat(margin);
    [
        format!("{indent}└{axis}"),
        format!("{indent} {}", labels.trim_end()),
    ]
}

fn curve_line(curve: &Curve, margin: usize, width: usize) -> String {
    let trend = curve.trend.map(|trend| format!(", {}", trend.text()));
    let figures = format!(
        ", peak {} at {}{}",
        bytes(curve.peak.memory),
        units::time(curve.peak.time * 1e9, 4),
        trend.unwrap_or_default()
    );
    let room = width.saturating_sub(margin + 4 + figures.chars().count());
    let name = legend::shortened(&curve.name, room as f64);
    format!(
        "{} {} {name}{figures}",
        " ".repeat(margin),
        paint("──", curve.color)
    )
}

/// Each function on a line, and below it the times at which it ran.
fn function_lines(chart: &Chart, margin: usize, columns: usize) -> Vec<String> {
    let totals = functions::totals(&chart.phases);
    let indent = " ".repeat(margin);
    let mut lines = Vec::new();
    for total in totals.iter().take(MOST_FUNCTIONS) {
        let mut bar = vec![(' ', 0); columns];
        let own = chart.phases.iter().filter(|phase| phase.name == total.name);
        for phase in own {
            draw_bar(&mut bar, phase, chart);
        }
        lines.push(format!("{indent} {}", paint(&total.text(), total.color)));
        lines.push(format!("{indent} {}", colored(&bar).trim_end()));
    }
    if totals.len() > MOST_FUNCTIONS {
        lines.push(format!(
            "{indent} and {} more",
            totals.len() - MOST_FUNCTIONS
        ));
    }
    lines
}

fn draw_bar(bar: &mut [(char, usize)], phase: &Phase, chart: &Chart) {
    let last = bar.len() - 1;
    let column = |time: f64| {
        let column = whole(chart.time.share(time) * last as f64);
        usize::try_from(column).unwrap_or_default().min(last)
    };
    let (from, to) = (column(phase.start.time), column(phase.end.time));
    for cell in &mut bar[from..=to] {
        *cell = ('━', phase.color);
    }
    if to > from {
        bar[from].0 = '┣';
        bar[to].0 = '┫';
    } else {
        bar[from].0 = '┃';
    }
}

/// Characters with the escape sequences between those of different colours.
fn colored(row: &[(char, usize)]) -> String {
    row.chunk_by(|one, other| one.1 == other.1 || other.0 == ' ')
        .map(|run| {
            let text: String = run.iter().map(|(character, _)| *character).collect();
            if text.trim().is_empty() {
                text
            } else {
                paint(&text, run[0].1)
            }
        })
        .collect()
}

fn paint(text: &str, color: usize) -> String {
    let kept = text.trim_end();
    format!("\x1b[{}m{kept}\x1b[0m{}", ANSI[color], &text[kept.len()..])
}

#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> i64 {
    number.round() as i64
}
