//! A flame graph below the curves: a bar for each function or phase, with its name.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::frame::{Frame, LEFT, RIGHT, Theme, characters, longest, pixels, text};
use super::functions::{Phase, thread_name};
use super::{COLORS, Chart, Functions};
use crate::ellipsis::shortened;

/// Height of a bar, including the gap to the next.
pub(super) const HEIGHT: f64 = 18.0;
/// Lanes above this one are not drawn.
const MOST_LANES: usize = 40;

/// The number of lanes of bars.
pub(super) fn lanes(chart: &Chart) -> usize {
    if !matches!(chart.functions, Functions::Flame | Functions::Both) {
        return 0;
    }
    let highest = chart.phases.iter().map(|phase| phase.lane + 1).max();
    highest.unwrap_or_default().min(MOST_LANES)
}

/// The lowest lane of each thread but the first.
fn first_lanes(chart: &Chart) -> BTreeMap<usize, usize> {
    let mut lanes = BTreeMap::new();
    for phase in chart.phases.iter().filter(|phase| phase.thread > 0) {
        let lane = lanes.entry(phase.thread).or_insert(phase.lane);
        *lane = phase.lane.min(*lane);
    }
    lanes.retain(|_, lane| *lane < MOST_LANES);
    lanes
}

/// Draws the bars. A caller is below the functions that it calls, and the first thread below the others.
pub(super) fn draw(frame: &Frame<'_>) -> Markup {
    let visible = |phase: &&Phase| phase.lane < MOST_LANES;
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
        @for (thread, lane) in first_lanes(frame.chart) {
            @let y = frame.bottom - lane as f64 * HEIGHT - 5.0;
            (text(LEFT - 8.0, y, "end", &thread_name(thread), frame.theme))
        }
        @for phase in longest(frame.chart).filter(visible) {
            @let from = frame.x(phase.start.time).max(LEFT);
            @let to = frame.x(phase.end.time).min(RIGHT);
            @let y = frame.bottom - (phase.lane + 1) as f64 * HEIGHT;
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
