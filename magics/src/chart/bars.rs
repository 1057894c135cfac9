//! A flame graph below the curves: a bar for each function or phase, with its name.

use maud::{Markup, html};

use super::frame::{Frame, LEFT, RIGHT, Theme, characters, longest, pixels, text};
use super::{COLORS, Chart, Functions};
use crate::ellipsis::shortened;

/// Height of a bar, including the gap to the next.
pub(super) const HEIGHT: f64 = 18.0;
/// Levels above this one are not drawn.
const MOST_LEVELS: usize = 40;

/// The number of levels of bars.
pub(super) fn levels(chart: &Chart) -> usize {
    if !matches!(chart.functions, Functions::Flame | Functions::Both) {
        return 0;
    }
    let highest = chart.phases.iter().map(|phase| phase.level + 1).max();
    highest.unwrap_or_default().min(MOST_LEVELS)
}

/// Draws the bars. A caller is below the functions that it calls.
pub(super) fn draw(frame: &Frame<'_>) -> Markup {
    // `%mprof` has timestamps, whose bars would have no width.
    let least = if frame.chart.functions == Functions::Both {
        2.0
    } else {
        0.5
    };
    // The grey text of an image is illegible on the colours; near black is legible.
    let (opacity, color) = if frame.theme == Theme::Image {
        ("1", Some("#111"))
    } else {
        (".55", None)
    };
    html! {
        @for phase in longest(frame.chart).filter(|phase| phase.level < MOST_LEVELS) {
            @let from = frame.x(phase.start.time).max(LEFT);
            @let to = frame.x(phase.end.time).min(RIGHT);
            @let y = frame.bottom - (phase.level + 1) as f64 * HEIGHT;
            g color=[color] {
                (frame.tip(&phase.text(&frame.chart.memory)))
                rect x=(pixels(from)) y=(pixels(y + 1.0)) width=(pixels((to - from).max(least)))
                    height=(HEIGHT - 2.0) rx="2" fill=(COLORS[phase.color]) fill-opacity=(opacity) {}
                @let room = characters(to - from - 6.0);
                @if room >= 3 {
                    (text(from + 4.0, y + 13.0, "start", &shortened(&phase.name, room),
                        frame.theme))
                }
            }
        }
    }
}
