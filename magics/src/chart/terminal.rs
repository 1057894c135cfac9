//! A chart as text, in Braille characters: for a terminal with colours, or without them.

use super::axis::Tick;
use super::braille::Canvas;
use super::curve::{Curve, Of, Point};
use super::functions::{self, Phase};
use super::{COLORS, Chart, Functions};
use crate::ellipsis::shortened;
use crate::units;

/// The ANSI codes of `COLORS`, in the same order; the last is the default colour.
const ANSI: [&str; COLORS.len() + 1] = ["34", "33", "32", "35", "95", "36", "93", "90", "39"];
const PLAIN: usize = COLORS.len();
/// Characters to the right of the curves, for the unit of the time axis.
const UNIT: usize = 6;
/// Further functions are only counted.
const MOST_FUNCTIONS: usize = 20;

/// Draws a chart as coloured text. Lines are `width` characters wide, the curves `height` lines
/// high.
pub fn terminal(chart: &Chart, width: usize, height: usize) -> String {
    let sheet = Sheet::new(chart, width, height, Ink::Colors);
    let mut lines = sheet.curves();
    if chart.functions != Functions::Hidden {
        lines.extend(sheet.functions());
    }
    lines.join("\n") + "\n"
}

/// The curves alone, as lines without colours.
pub(crate) fn uncolored(chart: &Chart, width: usize, height: usize) -> Vec<String> {
    Sheet::new(chart, width, height, Ink::None).curves()
}

/// How to write text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ink {
    Colors,
    None,
}

/// The layout of a chart as text.
struct Sheet<'a> {
    chart: &'a Chart,
    ink: Ink,
    /// Width in characters.
    width: usize,
    /// Height of the curves in lines.
    height: usize,
    /// Characters to the left of the memory axis.
    margin: usize,
    /// Width of the curves in characters.
    columns: usize,
    /// The ticks of the memory axis.
    ticks: Vec<Tick>,
}

impl<'a> Sheet<'a> {
    fn new(chart: &'a Chart, width: usize, height: usize, ink: Ink) -> Self {
        let ticks = chart.memory.ticks((height / 3).max(1));
        let longest = ticks.iter().map(|tick| tick.label.len()).max();
        let margin = longest.unwrap_or_default().max(chart.memory.unit.len()) + 1;
        Self {
            chart,
            ink,
            width,
            height,
            margin,
            columns: width.saturating_sub(margin + UNIT).max(8),
            ticks,
        }
    }

    /// Title, curves, axes and a legend of the curves.
    fn curves(&self) -> Vec<String> {
        let &Self { chart, margin, .. } = self;
        let mut canvas = Canvas::new(self.columns, self.height.max(2));
        let dots = Dots::of(chart, &canvas);
        // The program comes last, so that its colour is on top.
        for curve in chart.curves.iter().rev() {
            draw(&mut canvas, curve, &dots);
        }
        let mut rows: Vec<_> = canvas.rows().collect();
        for (peak, _) in &chart.marks {
            write_mark(&mut rows, *peak, &dots);
        }

        let mut lines = Vec::new();
        if !chart.title.is_empty() {
            let room = self.width.saturating_sub(margin + 1);
            let title = self.ink.bold(&shortened(&chart.title, room));
            lines.push(format!("{}{title}", " ".repeat(margin + 1)));
        }
        lines.push(format!("{:>margin$}", chart.memory.unit));
        for (index, row) in rows.iter().enumerate() {
            let mut ticks = self.ticks.iter();
            let tick = ticks.find(|tick| dots.row(tick.value) == index);
            let label = tick.map_or("", |tick| &tick.label);
            let axis = if tick.is_some() { '┤' } else { '│' };
            let row = self.ink.row(row);
            lines.push(format!("{label:>margin$}{axis}{}", row.trim_end()));
        }
        lines.extend(time_axis(chart, margin, self.columns));
        lines.extend(chart.curves.iter().map(|curve| self.curve(curve)));
        lines
    }

    fn curve(&self, curve: &Curve) -> String {
        let trend = curve.trend.map(|trend| format!(", {}", trend.text()));
        let figures = format!(
            ", peak {} at {}{}{}",
            self.chart.memory.size(curve.peak.memory),
            units::time(curve.peak.time * 1e9, 4),
            curve.raised_text(&self.chart.memory),
            trend.unwrap_or_default()
        );
        let room = self
            .width
            .saturating_sub(self.margin + 4 + figures.chars().count());
        let name = shortened(&curve.name, room);
        let line = match curve.of {
            Of::Heap => "╌╌",
            Of::Program | Of::Child => "──",
        };
        format!(
            "{} {} {name}{figures}",
            " ".repeat(self.margin),
            self.ink.paint(line, curve.color)
        )
    }

    /// Each function on a line, above a bar of the times at which it ran.
    fn functions(&self) -> Vec<String> {
        let &Self { chart, ink, .. } = self;
        let totals = functions::totals(&chart.phases);
        let indent = " ".repeat(self.margin);
        let mut lines = Vec::new();
        for total in totals.iter().take(MOST_FUNCTIONS) {
            let mut bar = vec![(' ', 0); self.columns];
            let own = chart.phases.iter().filter(|phase| phase.name == total.name);
            for phase in own {
                draw_bar(&mut bar, phase, chart);
            }
            lines.push(format!(
                "{indent} {}",
                ink.paint(&total.text(&chart.memory), total.color)
            ));
            lines.push(format!("{indent} {}", ink.row(&bar).trim_end()));
        }
        if totals.len() > MOST_FUNCTIONS {
            lines.push(format!(
                "{indent} and {} more",
                totals.len() - MOST_FUNCTIONS
            ));
        }
        lines
    }
}

impl Ink {
    fn bold(self, text: &str) -> String {
        match self {
            Self::Colors => format!("\x1b[1m{text}\x1b[0m"),
            Self::None => text.to_owned(),
        }
    }

    fn paint(self, text: &str, color: usize) -> String {
        if self == Self::None {
            return text.to_owned();
        }
        let kept = text.trim_end();
        format!("\x1b[{}m{kept}\x1b[0m{}", ANSI[color], &text[kept.len()..])
    }

    /// Characters, with escape sequences where the colour changes.
    fn row(self, row: &[(char, usize)]) -> String {
        row.chunk_by(|one, other| one.1 == other.1 || other.0 == ' ')
            .map(|run| {
                let text: String = run.iter().map(|(character, _)| *character).collect();
                if text.trim().is_empty() {
                    text
                } else {
                    self.paint(&text, run[0].1)
                }
            })
            .collect()
    }
}

/// Maps times and sizes of a chart to dots of a canvas.
struct Dots<'a> {
    chart: &'a Chart,
    width: f64,
    height: f64,
}

impl<'a> Dots<'a> {
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

    /// The line of characters at a size.
    fn row(&self, memory: f64) -> usize {
        let (_, y) = self.dot(Point { time: 0.0, memory });
        usize::try_from(y / 4).unwrap_or_default()
    }
}

fn draw(canvas: &mut Canvas, curve: &Curve, dots: &Dots<'_>) {
    let points = curve.thinned(canvas.width(), |time| dots.x(time));
    let (mut before, mut drawn) = (None, 0);
    for point in points {
        let dot = dots.dot(point);
        let from = before.unwrap_or(dot);
        match curve.of {
            // Dashes distinguish the heap without colours.
            Of::Heap => canvas.dashes(from, dot, curve.color, &mut drawn),
            Of::Program | Of::Child => canvas.line(from, dot, curve.color),
        }
        before = Some(dot);
    }
    if let (Some(trend), Some(first)) = (curve.trend, curve.points.first()) {
        let end = |time| {
            dots.dot(Point {
                time,
                memory: trend.at(time),
            })
        };
        let (from, to) = (end(first.time), end(curve.end()));
        // A dot in every third column makes a dotted line.
        for x in (from.0..=to.0).step_by(3) {
            let share = (x - from.0) as f64 / (to.0 - from.0).max(1) as f64;
            let y = from.1 as f64 + share * (to.1 - from.1) as f64;
            canvas.set(x, whole(y), curve.color);
        }
    }
}

/// Marks a peak and writes its size on the side that has room.
fn write_mark(rows: &mut [Vec<(char, usize)>], peak: Point, dots: &Dots<'_>) {
    let (x, y) = dots.dot(peak);
    let column = usize::try_from(x / 2).unwrap_or_default();
    // The mark is on the line above the peak, for which the axis leaves room.
    let row = usize::try_from(y / 4).unwrap_or_default().saturating_sub(1);
    let Some(row) = rows.get_mut(row) else {
        return;
    };
    let size = dots.chart.memory.size(peak.memory);
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
    // The unit follows the last number.
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

#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> i64 {
    number.round() as i64
}
