//! The legend below an SVG chart.

use maud::{Markup, html};

use super::curve::Of;
use super::frame::{CHARACTER, Theme, characters, pixels, text};
use super::{COLORS, Chart, functions};
use crate::ellipsis::shortened;

/// Height of a line.
pub(super) const LINE: f64 = 20.0;
/// Further entries are only counted.
const MOST: usize = 24;
const SYMBOL: f64 = 18.0;
const GAP: f64 = 22.0;

#[derive(Clone, Copy)]
enum Symbol {
    Line,
    Area,
    Dashes,
    Bracket,
    Bar,
    None,
}

/// An entry with its position, from the upper left corner of the legend.
pub(super) struct Entry {
    symbol: Symbol,
    color: usize,
    text: String,
    x: f64,
    y: f64,
}

/// Entries in lines that are at most `width` wide.
pub(super) fn entries(chart: &Chart, width: f64) -> Vec<Entry> {
    let longest = characters(width - SYMBOL);
    let mut all: Vec<(Symbol, usize, String)> = Vec::new();
    for curve in &chart.curves {
        let symbol = match curve.of {
            Of::Heap if curve.raised == 0.0 => Symbol::Area,
            _ => Symbol::Line,
        };
        all.push((symbol, curve.color, curve.text(&chart.memory)));
        if let Some(trend) = curve.trend {
            all.push((Symbol::Dashes, curve.color, trend.text()));
        }
    }
    let symbol = if chart.has_brackets() {
        Symbol::Bracket
    } else {
        Symbol::Bar
    };
    for total in functions::totals(&chart.phases) {
        all.push((symbol, total.color, total.shortened(&chart.memory, longest)));
    }
    if all.len() > MOST {
        let more = format!("and {} more", all.len() - MOST + 1);
        all.truncate(MOST - 1);
        all.push((Symbol::None, 0, more));
    }
    let (mut x, mut y) = (0.0, 0.0);
    all.into_iter()
        .map(|(symbol, color, text)| {
            let text = shortened(&text, longest);
            let length = SYMBOL + text.chars().count() as f64 * CHARACTER;
            if x > 0.0 && x + length > width {
                (x, y) = (0.0, y + LINE);
            }
            let entry = Entry {
                symbol,
                color,
                text,
                x,
                y,
            };
            x += length + GAP;
            entry
        })
        .collect()
}

/// Height of all lines.
pub(super) fn height(entries: &[Entry]) -> f64 {
    entries.last().map_or(0.0, |entry| entry.y + LINE)
}

pub(super) fn draw(entries: &[Entry], left: f64, top: f64, theme: Theme) -> Markup {
    html! {
        @for entry in entries {
            @let (x, y) = (left + entry.x, top + entry.y + LINE / 2.0);
            (entry.symbol.draw(x, y, COLORS[entry.color]))
            (text(x + SYMBOL, y + 4.0, "start", &entry.text, theme))
        }
    }
}

impl Symbol {
    fn draw(self, x: f64, y: f64, color: &str) -> Markup {
        let (right, top, bottom) = (x + 12.0, y - 5.0, y + 5.0);
        let path = match self {
            Self::Line | Self::Dashes => format!("M{x:.1} {y:.1}H{right:.1}"),
            Self::Bracket => format!(
                "M{:.1} {top:.1}H{x:.1}V{bottom:.1}h3M{:.1} {top:.1}h3V{bottom:.1}h-3",
                x + 3.0,
                right - 3.0
            ),
            Self::Area => {
                return html! {
                    rect x=(pixels(x)) y=(pixels(top + 1.0)) width="12" height="9" fill=(color)
                        fill-opacity=".3" {}
                    path d=(format!("M{x:.1} {:.1}H{right:.1}", top + 1.0)) fill="none"
                        stroke=(color) stroke-width="1.6" {}
                };
            }
            Self::Bar => {
                return html! {
                    rect x=(pixels(x)) y=(pixels(top)) width="12" height="10" rx="2" fill=(color)
                        fill-opacity=".55" {}
                };
            }
            Self::None => return html! {},
        };
        let dashes = matches!(self, Self::Dashes).then_some("3 3");
        html! {
            path d=(path) fill="none" stroke=(color) stroke-width="2" stroke-dasharray=[dashes] {}
        }
    }
}
