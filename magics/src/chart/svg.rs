//! A chart in SVG.
//!
//! The chart is as wide as a notebook and legible on white and on black: text inherits the colour
//! of the text around the chart, and the other colours are of medium brightness.

use maud::{Markup, html};

use super::axis::Axis;
use super::curve::{Curve, Of, Point};
use super::frame::{BOTTOM, CHARACTER, Frame, LEFT, RIGHT, TITLE, Theme, WIDTH, pixels, text};
use super::{COLORS, Chart, bars, brackets, legend};
use crate::ellipsis::shortened;
use crate::units;

const FILE_STYLE: &str = ":root{color-scheme:light dark;color:#24292f}\
    @media(prefers-color-scheme:dark){:root{color:#e6edf3}}";

/// Draws a chart as a self-contained `svg` element.
pub fn svg(chart: &Chart, theme: Theme) -> Markup {
    let lanes = bars::lanes(chart);
    let bottom = if lanes == 0 {
        BOTTOM
    } else {
        BOTTOM + 8.0 + lanes as f64 * bars::HEIGHT
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
    // JupyterLab sets no text colour for outputs, but it has a variable for one.
    let color = match theme {
        Theme::Page => {
            Some("color:var(--jp-content-font-color1,inherit);max-width:100%;height:auto")
        }
        Theme::File => Some("max-width:100%;height:auto"),
        Theme::Light | Theme::Image => None,
    };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label=(title)
            viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height)
            color=[theme.color()] style=[color]
            font-family="system-ui,-apple-system,'Segoe UI',sans-serif" font-size="12"
        {
            title { (title) }
            desc { (description) }
            @if theme == Theme::File { style { (maud::PreEscaped(FILE_STYLE)) } }
            @if theme == Theme::Light { rect width="100%" height="100%" fill="#fff" {} }
            (text(LEFT, TITLE, "start", &shortened(&chart.title, 90), theme))
            (memory_axis(&frame))
            (time_axis(&frame))
            // The heap is part of the resident memory, so it is drawn behind it.
            @for curve in chart.curves.iter().filter(|curve| curve.of == Of::Heap) {
                (draw_curve(&frame, curve))
            }
            @for curve in chart.curves.iter().filter(|curve| curve.of != Of::Heap) {
                (draw_curve(&frame, curve))
            }
            @if lanes > 0 { (bars::draw(&frame)) }
            @if chart.has_brackets() { (brackets::draw(&frame)) }
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
    // Columns are half a pixel wide in files, which readers may enlarge. Notebooks should stay
    // small.
    let fine = match frame.theme {
        Theme::File | Theme::Light => 2.0,
        Theme::Page | Theme::Image => 1.0,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let columns = ((RIGHT - LEFT) * fine) as usize;
    let points = curve.thinned(columns, |time| frame.x(time) * fine);
    let color = COLORS[curve.color];
    let line = frame.path(&points);
    let ends = points.first().zip(points.last());
    html! {
        @if let Some((first, last)) = ends {
            @if let Some(opacity) = fill(frame.chart, curve) {
                path fill=(color) fill-opacity=(opacity) d=(format!(
                    "{line}L{:.1} {BOTTOM}L{:.1} {BOTTOM}Z", frame.x(last.time), frame.x(first.time)
                )) {}
            }
            @if points.len() == 1 {
                circle cx=(pixels(frame.x(first.time))) cy=(pixels(frame.y(first.memory))) r="2.5"
                    fill=(color) {}
            }
            path d=(line) fill="none" stroke=(color) stroke-width="1.6" stroke-linejoin="round" {
                (frame.tip(&curve.text(&frame.chart.memory)))
            }
            @if let Some(trend) = curve.trend {
                @let ends = [first.time, last.time].map(|time| Point { time, memory: trend.at(time) });
                path d=(frame.path(&ends)) fill="none" stroke=(color) stroke-dasharray="3 3" {}
            }
        }
    }
}

/// The opacity of the area below a curve. Areas of several programs would cover each other.
fn fill(chart: &Chart, curve: &Curve) -> Option<&'static str> {
    match curve.of {
        // The area below a raised curve would have a meaningless height.
        Of::Heap => (curve.raised == 0.0).then_some(".3"),
        Of::Program | Of::Child => {
            let others = chart.curves.iter().filter(|curve| curve.of != Of::Heap);
            (others.count() == 1).then_some(".12")
        }
    }
}

/// A marked peak: a dot with its value, and dashed lines to both axes, as in `mprof`.
fn mark(frame: &Frame<'_>, peak: Point, color: &str) -> Markup {
    let (x, y) = (frame.x(peak.time), frame.y(peak.memory));
    let label = format!("peak {}", frame.chart.memory.size(peak.memory));
    let at = units::time(peak.time * 1e9, 4);
    let length = label.len() as f64 * CHARACTER;
    let covered = |from: f64| brackets::in_box(frame, from..from + length, y - 19.0..y - 4.0);
    // The label points to the middle, unless a bracket is there and the other side is free.
    let is_right = x > f64::midpoint(LEFT, RIGHT);
    let to_left = match (covered(x - 6.0 - length), covered(x + 6.0)) {
        (0, right) if right > 0 => x - length > LEFT + 8.0 || is_right,
        (left, 0) if left > 0 => x + length > RIGHT - 8.0 && is_right,
        _ => is_right,
    };
    let (anchor, beside) = if to_left {
        ("end", x - 8.0)
    } else {
        ("start", x + 8.0)
    };
    html! {
        path d=(format!("M{LEFT} {y:.1}H{x:.1}V{BOTTOM}")) fill="none" stroke=(color)
            stroke-dasharray="2 4" stroke-opacity=".8" {}
        circle cx=(pixels(x)) cy=(pixels(y)) r="3.5" fill=(color) {
            (frame.tip(&format!("{label} at {at}")))
        }
        (text(beside, y - 7.0, anchor, &label, frame.theme))
    }
}
