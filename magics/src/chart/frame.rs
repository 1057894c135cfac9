//! The geometry of an SVG chart, and the pieces that all its parts are drawn with.

use maud::{Markup, html};

use super::Chart;
use super::curve::Point;
use super::functions::Phase;

/// The surroundings of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// A page, which sets the text colour.
    Page,
    /// A file of its own, which follows the reader's choice of light or dark.
    File,
    /// A white background.
    Light,
    /// An image in a page that may be light or dark.
    Image,
}

impl Theme {
    /// The text colour, if the drawing has to set one.
    pub(super) fn color(self) -> Option<&'static str> {
        match self {
            Self::Page | Self::File => None,
            Self::Light => Some("#24292f"),
            Self::Image => Some(IMAGE_COLOR),
        }
    }
}

/// A grey with a contrast above 4, to white and to the background of dark pages.
pub(crate) const IMAGE_COLOR: &str = "#787878";

pub(super) const WIDTH: f64 = 720.0;
pub(super) const LEFT: f64 = 58.0;
pub(super) const RIGHT: f64 = WIDTH - 16.0;
pub(super) const TITLE: f64 = 18.0;
pub(super) const TOP: f64 = 32.0;
pub(super) const BOTTOM: f64 = TOP + 240.0;
/// Width of an average character at the size of the text.
pub(super) const CHARACTER: f64 = 6.5;
/// Of more executions than this, only the longest are drawn.
const MOST_PHASES: usize = 400;

/// Maps times and sizes of a chart to pixels.
pub(super) struct Frame<'a> {
    pub(super) chart: &'a Chart,
    /// Lower end of the flame graph, or of the curves without a flame graph.
    pub(super) bottom: f64,
    pub(super) theme: Theme,
}

impl Frame<'_> {
    pub(super) fn x(&self, time: f64) -> f64 {
        LEFT + self.chart.time.share(time) * (RIGHT - LEFT)
    }

    pub(super) fn y(&self, memory: f64) -> f64 {
        BOTTOM - self.chart.memory.share(memory) * (BOTTOM - TOP)
    }

    /// A text for the mouse pointer. An image cannot show one.
    pub(super) fn tip(&self, text: &str) -> Markup {
        html! { @if self.theme != Theme::Image { title { (text) } } }
    }

    /// A path through points: `M`, then `L`s.
    pub(super) fn path(&self, points: &[Point]) -> String {
        let place = |point: &Point| {
            let (x, y) = (self.x(point.time), self.y(point.memory));
            format!("{x:.1} {y:.1}")
        };
        let is_at = |point: &Point, y: f64| (self.y(point.memory) - y).abs() < 0.05;
        let mut path = String::new();
        for (index, point) in points.iter().enumerate() {
            let y = self.y(point.memory);
            let before = index.checked_sub(1).and_then(|index| points.get(index));
            // A horizontal stretch needs only its ends.
            let is_level = before.is_some_and(|before| is_at(before, y))
                && points.get(index + 1).is_some_and(|after| is_at(after, y));
            if !is_level {
                path.push(if path.is_empty() { 'M' } else { 'L' });
                path.push_str(&place(point));
            }
        }
        path
    }
}

/// The executions to draw, in order.
pub(super) fn longest(chart: &Chart) -> impl Iterator<Item = &Phase> {
    let mut places: Vec<usize> = (0..chart.phases.len()).collect();
    let seconds = |place: &usize| chart.phases[*place].seconds();
    places.sort_by(|one, other| seconds(other).total_cmp(&seconds(one)));
    places.truncate(MOST_PHASES);
    places.sort_unstable();
    places.into_iter().map(|place| &chart.phases[place])
}

/// A text at a position.
pub(super) fn text(x: f64, y: f64, anchor: &str, content: &str, theme: Theme) -> Markup {
    // The renderer of PNG files has only this font.
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

/// The number of characters that fit into a length.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn characters(length: f64) -> usize {
    (length / CHARACTER) as usize
}
