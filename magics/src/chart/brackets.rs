//! Brackets around the part of a curve during a function or phase.

use std::collections::HashMap;
use std::ops::Range;

use maud::{Markup, html};

use super::curve::Point;
use super::frame::{BOTTOM, Frame, TOP, longest};
use super::functions::Phase;
use super::{COLORS, Chart, Functions};

/// Length of the arms.
const ARM: f64 = 5.0;
/// Half the height.
const HALF: f64 = (BOTTOM - TOP) / 22.0;
/// How much higher a bracket is than the next bracket at the same place.
const HIGHER: f64 = 5.0;
/// The number of brackets at one place that get higher and higher.
const HIGHEST: usize = 4;
/// With more phases than this, a chart with bars has no brackets.
const MOST_BESIDE_BARS: usize = 40;

impl Chart {
    /// Whether the chart has brackets.
    pub(super) fn has_brackets(&self) -> bool {
        match self.functions {
            Functions::Brackets => true,
            Functions::Both => self.phases.len() <= MOST_BESIDE_BARS,
            Functions::Flame | Functions::Hidden => false,
        }
    }
}

/// One side of a bracket.
struct Side {
    x: f64,
    y: f64,
    /// Length of the arms: to the right, or, if negative, to the left.
    arm: f64,
}

impl Side {
    fn new(frame: &Frame<'_>, point: Point, arm: f64) -> Option<Self> {
        let time = &frame.chart.time;
        (time.low <= point.time && point.time <= time.high).then(|| Self {
            x: frame.x(point.time),
            y: frame.y(point.memory),
            arm,
        })
    }

    /// A key that is equal for sides that the eye cannot tell apart: position and direction.
    #[allow(clippy::cast_possible_truncation)]
    fn spot(&self) -> (i64, i64, bool) {
        let rounded = |at: f64| (at / 4.0).round() as i64;
        (rounded(self.x), rounded(self.y), self.arm > 0.0)
    }

    fn path(&self, half: f64) -> String {
        let &Self { x, y, arm } = self;
        let (top, bottom) = (y - half, (y + half).min(BOTTOM));
        format!("M{:.1} {top:.1}H{x:.1}V{bottom:.1}h{arm}", x + arm)
    }
}

/// The sides of a phase. A side outside the chart and the end of an unfinished phase are `None`.
fn sides(frame: &Frame<'_>, phase: &Phase) -> [Option<Side>; 2] {
    let width = frame.x(phase.end.time) - frame.x(phase.start.time);
    // Shorter arms keep the sides of a narrow bracket apart. Those of a timestamp form an I-beam.
    let arm = if width > 0.0 {
        ((width * 5.0).round() / 10.0).clamp(1.5, ARM)
    } else {
        ARM
    };
    let end = (!phase.is_unfinished).then_some(phase.end);
    [
        Side::new(frame, phase.start, arm),
        end.and_then(|end| Side::new(frame, end, -arm)),
    ]
}

/// Draws a bracket for each execution, on the curve at its start and end. Of several brackets at
/// one place, earlier ones are higher, so that they enclose the others.
pub(super) fn draw(frame: &Frame<'_>) -> Markup {
    let all: Vec<_> = longest(frame.chart)
        .map(|phase| (phase, sides(frame, phase)))
        .collect();
    let mut inside: HashMap<_, usize> = HashMap::new();
    for side in all.iter().flat_map(|(_, sides)| sides).flatten() {
        *inside.entry(side.spot()).or_default() += 1;
    }
    let mut path = |side: &Side| {
        let inside = inside.entry(side.spot()).or_default();
        *inside = inside.saturating_sub(1);
        side.path(HALF + HIGHER * (*inside).min(HIGHEST) as f64)
    };
    html! {
        @for (phase, sides) in &all {
            path d=(sides.iter().flatten().map(&mut path).collect::<String>()) fill="none"
                stroke=(COLORS[phase.color]) stroke-width="2"
            {
                (frame.tip(&phase.text(&frame.chart.memory)))
            }
        }
    }
}

/// The number of sides that overlap a box.
pub(super) fn in_box(frame: &Frame<'_>, across: Range<f64>, down: Range<f64>) -> usize {
    if !frame.chart.has_brackets() {
        return 0;
    }
    let sides = longest(frame.chart)
        .flat_map(|phase| sides(frame, phase))
        .flatten();
    sides
        .filter(|side| {
            let (near, far) = (side.x.min(side.x + side.arm), side.x.max(side.x + side.arm));
            let is_across = across.start < far && near < across.end;
            is_across && down.start < side.y + HALF && side.y - HALF < down.end
        })
        .count()
}
