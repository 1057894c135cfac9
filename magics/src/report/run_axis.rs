//! The runs of `%timeit` as dots on a time axis, drawn in SVG.

use maud::{Markup, html};

use super::card::ACCENT;
use super::figure::figure;
use crate::chart::{self, Theme};
use crate::result::TimeitResult;
use crate::units;

const WIDTH: f64 = 570.0;
const HEIGHT: f64 = 58.0;
/// Height without labels below the axis.
const LOW_HEIGHT: f64 = 40.0;
/// Ends of the axis. The margin keeps the outer dots whole.
const LEFT: f64 = 8.0;
const RIGHT: f64 = WIDTH - LEFT;
/// Height of the axis; the mean is labelled above it, the extremes below.
const AXIS: f64 = 28.0;
const ABOVE: f64 = 12.0;
const BELOW: f64 = 52.0;

const DOT: &str = "5";
/// With more runs than this, the dots are small.
const CROWD: usize = 30;
const SMALL_DOT: &str = "3";

const SVG: &str = "display:block;max-width:100%;height:auto";

const TEXT: &str = "fill:currentColor;font-size:12px";

/// The runs between the fastest and the slowest, with mean and standard deviation. The labels of
/// the extremes are below the axis and the label of the mean above it, so they never overlap.
pub(super) fn axis(result: &TimeitResult) -> Markup {
    figure(&description(result), |theme| draw(result, theme))
}

fn draw(result: &TimeitResult, theme: Theme) -> Markup {
    let described = description(result);
    let (height, runs) = if result.worst > result.best {
        (HEIGHT, spread(result))
    } else {
        (LOW_HEIGHT, single(result))
    };
    // An image is a document of its own, so it needs a namespace, a colour and a font.
    let is_image = theme == Theme::Image;
    html! {
        svg xmlns=[is_image.then_some("http://www.w3.org/2000/svg")] role="img"
            aria-label=(described) viewBox=(format!("0 0 {WIDTH} {height}"))
            width=(WIDTH) height=(height) style=[(!is_image).then_some(SVG)]
            color=[is_image.then_some(chart::IMAGE_COLOR)]
            font-family=[is_image.then_some("system-ui,sans-serif")]
        {
            title { (described) }
            line x1=(LEFT) x2=(RIGHT) y1=(AXIS) y2=(AXIS) stroke="currentColor" stroke-opacity=".3" {}
            (runs)
        }
    }
}

fn description(result: &TimeitResult) -> String {
    let shown = |ns| units::time(ns, result.precision);
    format!(
        "{}: best {}, mean {}, worst {} per loop",
        units::counted(&units::count(result.repeat as u64), "run"),
        shown(result.best),
        shown(result.average),
        shown(result.worst)
    )
}

fn spread(result: &TimeitResult) -> Markup {
    let shown = |ns| units::time(ns, result.precision);
    let at = |ns: f64| {
        let share = (ns - result.best) / (result.worst - result.best);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    };
    let mean = at(result.average);
    let low = at(result.average - result.stdev);
    let high = at(result.average + result.stdev);
    let slower = 100.0 * (result.worst / result.best - 1.0);
    let worst = if slower.is_finite() {
        format!("worst {} (+{slower:.1}%)", shown(result.worst))
    } else {
        format!("worst {}", shown(result.worst))
    };
    let radius = if result.timings.len() > CROWD {
        SMALL_DOT
    } else {
        DOT
    };
    html! {
        rect x=(pixels(low)) y=(AXIS - 9.0) width=(pixels(high - low)) height="18" rx="2"
            fill="currentColor" fill-opacity=".1" {}
        @for (index, &timing) in result.timings.iter().enumerate() {
            (dot(at(timing), radius, &format!("run {}: {}", index + 1, shown(timing))))
        }
        line x1=(pixels(mean)) x2=(pixels(mean)) y1=(AXIS - 11.0) y2=(AXIS + 11.0)
            stroke="currentColor" stroke-width="2" {}
        (label(mean, ABOVE, &format!("mean {}", shown(result.average))))
        (label(LEFT, BELOW, &format!("best {}", shown(result.best))))
        (label(RIGHT, BELOW, &worst))
    }
}

/// A single run, or several that took the same time: one dot.
fn single(result: &TimeitResult) -> Markup {
    let middle = f64::midpoint(LEFT, RIGHT);
    let time = units::time(result.average, result.precision);
    let runs = if result.repeat == 1 {
        "1 run".to_owned()
    } else {
        format!("all {} runs", units::count(result.repeat as u64))
    };
    let text = format!("{runs}: {time}");
    html! {
        @if result.repeat > 0 { (dot(middle, DOT, &text)) }
        (label(middle, ABOVE, &text))
    }
}

fn dot(x: f64, radius: &str, title: &str) -> Markup {
    html! {
        circle cx=(pixels(x)) cy=(AXIS) r=(radius) style={ "fill:" (ACCENT) } fill-opacity=".7" {
            title { (title) }
        }
    }
}

/// A text at `x` that grows away from the nearer edge, so that it stays inside the image.
fn label(x: f64, y: f64, text: &str) -> Markup {
    let anchor = if x < WIDTH * 0.2 {
        "start"
    } else if x > WIDTH * 0.8 {
        "end"
    } else {
        "middle"
    };
    html! {
        text x=(pixels(x)) y=(y) text-anchor=(anchor) style=(TEXT) { (text) }
    }
}

fn pixels(length: f64) -> String {
    format!("{length:.1}")
}
