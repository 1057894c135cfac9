//! A chart in SVG.
//!
//! As wide as a notebook, and readable on white and on black: text has the colour of the text
//! around it, the other colours stand in the middle between the two.

use maud::{Markup, html};

use super::axis::Axis;
use super::curve::{Curve, Point};
use super::functions::Phase;
use super::{COLORS, Chart, Functions, bytes, legend};
use crate::units;

/// Where a drawing is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// In a page: it takes its text colour from there.
    Page,
    /// In a file of its own: it follows the reader's choice of light or dark.
    File,
    /// On white.
    Light,
}

const WIDTH: f64 = 720.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH - 16.0;
const TITLE: f64 = 18.0;
const TOP: f64 = 32.0;
const BOTTOM: f64 = TOP + 240.0;
/// Height of a bar of a flame graph.
const BAR: f64 = 18.0;
/// Brackets or bars beyond which only the longest are drawn.
const MOST_PHASES: usize = 400;
/// Levels of a flame graph beyond which those above are not drawn.
const MOST_LEVELS: usize = 40;

const FILE_STYLE: &str = ":root{color-scheme:light dark;color:#24292f}\
    @media(prefers-color-scheme:dark){:root{color:#e6edf3}}";

/// Where things of a chart are in the image.
struct Frame<'a> {
    chart: &'a Chart,
    /// Lower end of the bars of a flame graph, and of the curves if there is none.
    bottom: f64,
    theme: Theme,
}

impl Frame<'_> {
    fn x(&self, time: f64) -> f64 {
        LEFT + self.chart.time.share(time) * (RIGHT - LEFT)
    }

    fn y(&self, memory: f64) -> f64 {
        BOTTOM - self.chart.memory.share(memory) * (BOTTOM - TOP)
    }

    /// A path through points, `M` and then `L`.
    fn path(&self, points: &[Point]) -> String {
        let place = |point: &Point| {
            let (x, y) = (self.x(point.time), self.y(point.memory));
            format!("{x:.1} {y:.1}")
        };
        let places: Vec<_> = points.iter().map(place).collect();
        format!("M{}", places.join("L"))
    }
}

/// Draws a chart, as an `svg` element with everything in it.
pub fn svg(chart: &Chart, theme: Theme) -> Markup {
    let levels = levels(chart);
    let bottom = if levels == 0 {
        BOTTOM
    } else {
        BOTTOM + 8.0 + levels as f64 * BAR
    };
    let frame = Frame {
        chart,
        bottom,
        theme,
    };
    let legend = legend::entries(chart, RIGHT - LEFT);
    let legend_top = bottom + 46.0;
    let height = legend_top + legend::height(&legend) + 8.0;
    let (title, description) = (title(chart), chart.description());
    // A page's variables are those of JupyterLab, which sets no colour for what is in an output.
    let color = match theme {
        Theme::Page => {
            Some("color:var(--jp-content-font-color1,inherit);max-width:100%;height:auto")
        }
        Theme::File => Some("max-width:100%;height:auto"),
        Theme::Light => None,
    };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label=(title)
            viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height)
            color=[(theme == Theme::Light).then_some("#24292f")] style=[color]
            font-family="system-ui,-apple-system,'Segoe UI',sans-serif" font-size="12"
        {
            title { (title) }
            desc { (description) }
            @if theme == Theme::File { style { (maud::PreEscaped(FILE_STYLE)) } }
            @if theme == Theme::Light { rect width="100%" height="100%" fill="#fff" {} }
            (text(LEFT, TITLE, "start", &legend::shortened(&chart.title, 90.0), theme))
            (memory_axis(&frame))
            (time_axis(&frame))
            @for curve in &chart.curves { (draw_curve(&frame, curve)) }
            @match chart.functions {
                Functions::Flame => (flame(&frame)),
                Functions::Brackets | Functions::Hidden => (brackets(&frame)),
            }
            @for (peak, color) in &chart.marks { (mark(&frame, *peak, COLORS[*color])) }
            (legend::draw(&legend, LEFT, legend_top, theme))
        }
    }
}

fn title(chart: &Chart) -> String {
    if chart.title.is_empty() {
        "Memory over time".to_owned()
    } else {
        format!("Memory over time: {}", chart.title)
    }
}

fn memory_axis(frame: &Frame<'_>) -> Markup {
    let Axis { unit, .. } = frame.chart.memory;
    html! {
        @for tick in frame.chart.memory.ticks(6) {
            @let y = frame.y(tick.value);
            line x1=(LEFT) x2=(RIGHT) y1=(pixels(y)) y2=(pixels(y)) stroke="currentColor"
                stroke-opacity=".13" {}
            (text(LEFT - 8.0, y + 4.0, "end", &tick.label, frame.theme))
        }
        (text(LEFT - 8.0, TITLE, "end", unit, frame.theme))
    }
}

fn time_axis(frame: &Frame<'_>) -> Markup {
    let y = frame.bottom;
    html! {
        line x1=(LEFT) x2=(RIGHT) y1=(pixels(y)) y2=(pixels(y)) stroke="currentColor"
            stroke-opacity=".6" {}
        @for tick in frame.chart.time.ticks(9) {
            @let x = frame.x(tick.value);
            line x1=(pixels(x)) x2=(pixels(x)) y1=(pixels(y)) y2=(pixels(y + 4.0))
                stroke="currentColor" stroke-opacity=".6" {}
            (text(x, y + 17.0, "middle", &tick.label, frame.theme))
        }
        (text(f64::midpoint(LEFT, RIGHT), y + 34.0, "middle",
            &format!("time in {}", frame.chart.time.unit), frame.theme))
    }
}

fn draw_curve(frame: &Frame<'_>, curve: &Curve) -> Markup {
    // Half a pixel wide.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let columns = ((RIGHT - LEFT) * 2.0) as usize;
    let points = curve.thinned(columns, |time| frame.x(time) * 2.0);
    let color = COLORS[curve.color];
    let line = frame.path(&points);
    let ends = points.first().zip(points.last());
    html! {
        @if let Some((first, last)) = ends {
            // What is below the line of the one program; several would cover each other.
            @if frame.chart.curves.len() == 1 {
                path fill=(color) fill-opacity=".12" d=(format!(
                    "{line}L{:.1} {BOTTOM}L{:.1} {BOTTOM}Z", frame.x(last.time), frame.x(first.time)
                )) {}
            }
            @if points.len() == 1 {
                circle cx=(pixels(frame.x(first.time))) cy=(pixels(frame.y(first.memory))) r="2.5"
                    fill=(color) {}
            }
            path d=(line) fill="none" stroke=(color) stroke-width="1.6" stroke-linejoin="round" {
                title { (curve.name) ", peak " (bytes(curve.peak.memory)) }
            }
            @if let Some(trend) = curve.trend {
                @let ends = [first.time, last.time].map(|time| Point { time, memory: trend.at(time) });
                path d=(frame.path(&ends)) fill="none" stroke=(color) stroke-dasharray="3 3" {}
            }
        }
    }
}

/// The peak, with dashed lines to both axes as `mprof` has them, and its value.
fn mark(frame: &Frame<'_>, peak: Point, color: &str) -> Markup {
    let (x, y) = (frame.x(peak.time), frame.y(peak.memory));
    let (anchor, beside) = if x > f64::midpoint(LEFT, RIGHT) {
        ("end", x - 8.0)
    } else {
        ("start", x + 8.0)
    };
    let label = format!("peak {}", bytes(peak.memory));
    let at = units::time(peak.time * 1e9, 4);
    html! {
        path d=(format!("M{LEFT} {y:.1}H{x:.1}V{BOTTOM}")) fill="none" stroke=(color)
            stroke-dasharray="2 4" stroke-opacity=".8" {}
        circle cx=(pixels(x)) cy=(pixels(y)) r="3.5" fill=(color) {
            title { (label) " at " (at) }
        }
        (text(beside, y - 7.0, anchor, &label, frame.theme))
    }
}

/// Brackets at the beginning and the end of each execution, where the curve is then.
fn brackets(frame: &Frame<'_>) -> Markup {
    let half = (BOTTOM - TOP) / 22.0;
    let inside = |time: f64| frame.chart.time.low <= time && time <= frame.chart.time.high;
    let bracket = |point: Point, arm: f64| {
        let (x, y) = (frame.x(point.time), frame.y(point.memory));
        let (top, bottom) = (y - half, (y + half).min(BOTTOM));
        inside(point.time).then(|| format!("M{:.1} {top:.1}H{x:.1}V{bottom:.1}h{arm}", x + arm))
    };
    html! {
        @for phase in longest(frame.chart) {
            @let both = [bracket(phase.start, 5.0), bracket(phase.end, -5.0)];
            path d=(both.into_iter().flatten().collect::<String>()) fill="none"
                stroke=(COLORS[phase.color]) stroke-width="2"
            {
                title { (phase.text()) }
            }
        }
    }
}

/// Bars below the curves, those that called below those that were called.
fn flame(frame: &Frame<'_>) -> Markup {
    html! {
        @for phase in longest(frame.chart).filter(|phase| phase.level < MOST_LEVELS) {
            @let from = frame.x(phase.start.time).max(LEFT);
            @let to = frame.x(phase.end.time).min(RIGHT);
            @let y = frame.bottom - (phase.level + 1) as f64 * BAR;
            g {
                title { (phase.text()) }
                rect x=(pixels(from)) y=(pixels(y + 1.0)) width=(pixels((to - from).max(0.5)))
                    height=(BAR - 2.0) rx="2" fill=(COLORS[phase.color]) fill-opacity=".55" {}
                @let room = ((to - from - 6.0) / 6.5).floor();
                @if room >= 3.0 {
                    (text(from + 4.0, y + 13.0, "start", &legend::shortened(&phase.name, room),
                        frame.theme))
                }
            }
        }
    }
}

fn levels(chart: &Chart) -> usize {
    if chart.functions != Functions::Flame {
        return 0;
    }
    let highest = chart.phases.iter().map(|phase| phase.level + 1).max();
    highest.unwrap_or_default().min(MOST_LEVELS)
}

/// The executions that are drawn, in their order.
fn longest(chart: &Chart) -> impl Iterator<Item = &Phase> {
    let length = |phase: &Phase| phase.end.time - phase.start.time;
    let mut lengths: Vec<f64> = chart.phases.iter().map(length).collect();
    lengths.sort_by(|one, other| other.total_cmp(one));
    let least = lengths
        .get(MOST_PHASES)
        .copied()
        .unwrap_or(f64::NEG_INFINITY);
    chart
        .phases
        .iter()
        .filter(move |phase| length(phase) > least)
}

pub(super) fn text(x: f64, y: f64, anchor: &str, content: &str, theme: Theme) -> Markup {
    // In PNG there is one font, and that has all of it.
    let family = (theme == Theme::Light).then_some("sans-serif");
    html! {
        text x=(pixels(x)) y=(pixels(y)) text-anchor=(anchor) fill="currentColor"
            font-family=[family]
        { (content) }
    }
}

pub(super) fn pixels(length: f64) -> String {
    format!("{length:.1}")
}
