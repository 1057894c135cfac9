//! Charts of memory over time: in SVG, in HTML, in a terminal.
//!
//! A [`Chart`] is in seconds and bytes. Each view maps it to pixels or characters.

mod axis;
mod bars;
mod brackets;
mod braille;
mod curve;
mod frame;
mod functions;
mod heap_axis;
mod html;
mod legend;
mod phase_table;
mod svg;
mod terminal;
mod timeline;

use axis::Axis;
use curve::{Curve, Of, Point};
pub(crate) use frame::IMAGE_COLOR;
pub use frame::Theme;
use functions::Phase;
pub use html::html;
pub(crate) use phase_table::{PhaseTable, TableStyle};
pub use svg::svg;
pub use terminal::terminal;
pub(crate) use terminal::uncolored;

use crate::mprof_file::Profile;
use crate::stats::highest_by;
use crate::units;
use crate::visible::visible;

/// Colours that are easy to tell apart and legible on white and on black. The first is for the
/// program, the last for its heap.
const COLORS: [&str; HUES + 1] = [
    "#2b7fd4", "#d9730d", "#2f9e5b", "#c94f7c", "#8a63d2", "#1797a6", "#a67c00", "#7d8590",
];
/// The number of colours for processes and phases, which come before the colour of the heap.
const HUES: usize = 7;
/// The colour of the heap.
const HEAP: usize = HUES;

/// How to show functions and phases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Functions {
    /// Not at all.
    Hidden,
    /// As brackets around their part of the curve.
    #[default]
    Brackets,
    /// As a flame graph: bars, with functions above their callers.
    Flame,
    /// As a flame graph, and, unless there are too many, as brackets.
    Both,
}

/// What to show in a chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The title; the default is the command line, if there is only one profile.
    pub title: Option<String>,
    /// The shown part of each profile, in seconds from its start; the default is all.
    pub window: Option<(f64, f64)>,
    /// Whether to draw a trend line through each curve and show its slope.
    pub slope: bool,
    /// How to show functions and phases. With several profiles, they are hidden.
    pub functions: Functions,
    /// Whether names of functions keep their modules. Otherwise, names are shortened as far as they
    /// stay unique.
    pub whole_names: bool,
}

/// The window contains no samples.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("there are no samples from {from} to {to} s: the profile is {length:.3} s long")]
pub struct EmptyWindow {
    from: f64,
    to: f64,
    length: f64,
}

/// Curves, functions and peaks, with their axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    title: String,
    curves: Vec<Curve>,
    phases: Vec<Phase>,
    functions: Functions,
    /// The marked peaks, each with the colour of its curve.
    marks: Vec<(Point, usize)>,
    time: Axis,
    memory: Axis,
}

impl Chart {
    /// A chart of profiles, each with its name in the legend.
    ///
    /// # Errors
    ///
    /// If the window contains no samples.
    pub fn new(profiles: &[(String, &Profile)], options: &Options) -> Result<Self, EmptyWindow> {
        let mut curves = Vec::new();
        let mut phases = Vec::new();
        let mut length = 0.0_f64;
        for (index, (label, profile)) in profiles.iter().enumerate() {
            let samples = profile.curve();
            let start = samples.first().map_or(0.0, |sample| sample.time);
            let label = visible(label).into_owned();
            let own = Curve::new(label, index % HUES, &samples, start, options);
            length = length.max(own.end());
            curves.push(own);
            if !profile.heap.is_empty() {
                let heap = Curve::new("heap".to_owned(), HEAP, &profile.heap, start, options);
                length = length.max(heap.end());
                curves.push(heap.of(Of::Heap));
            }
            for (index, child) in profile.children.iter().enumerate() {
                let name = format!("child {}", visible(&child.name));
                // Functions start from the second colour, so children start from the other end.
                let color = HUES - 1 - index % (HUES - 1);
                let child = Curve::new(name, color, &child.samples, start, options);
                length = length.max(child.end());
                curves.push(child.of(Of::Child));
            }
            if profiles.len() == 1 && options.functions != Functions::Hidden {
                phases = functions::phases(profile, start, options.whole_names);
            }
        }
        let window = options.window.unwrap_or((0.0, length));
        for curve in &mut curves {
            curve.clip(window);
        }
        curves.retain(|curve| !curve.points.is_empty());
        phases.retain(|phase| phase.end.time >= window.0 && phase.start.time <= window.1);
        if curves.is_empty() {
            return Err(EmptyWindow {
                from: window.0,
                to: window.1,
                length,
            });
        }
        let memory = heap_axis::axis(&mut curves);
        let title = options.title.clone().or_else(|| match profiles {
            [(_, profile)] => profile.command.clone(),
            _ => None,
        });
        Ok(Self {
            title: visible(&title.unwrap_or_default()).into_owned(),
            marks: marks(&curves),
            curves,
            phases,
            functions: options.functions,
            time: Axis::of_time(window.0, window.1),
            memory,
        })
    }

    /// A description for readers who cannot see the chart.
    pub(crate) fn description(&self) -> String {
        let length = units::time((self.time.high - self.time.low) * 1e9, 4);
        let mut parts = vec![format!("Memory over {length}.")];
        parts.extend(self.curves.iter().map(|curve| {
            let (name, peak) = (&curve.name, curve.peak);
            let at = units::time(peak.time * 1e9, 4);
            let raised = curve.raised_text(&self.memory);
            format!(
                "{name}: peak {} at {at}{raised}.",
                self.memory.size(peak.memory)
            )
        }));
        if !self.phases.is_empty() {
            let all = functions::totals(&self.phases);
            let all: Vec<_> = all.iter().map(|total| total.text(&self.memory)).collect();
            let what = match self.functions {
                Functions::Both => "Phases",
                _ => "Functions",
            };
            parts.push(format!("{what}: {}.", all.join("; ")));
        }
        parts.join(" ")
    }
}

/// The highest peak of the programs and, if there are children, the highest of a child.
fn marks(curves: &[Curve]) -> Vec<(Point, usize)> {
    let highest = |of: Of| {
        let curves = curves.iter().filter(|curve| curve.of == of);
        highest_by(curves, |curve| curve.peak.memory)
    };
    [highest(Of::Program), highest(Of::Child)]
        .into_iter()
        .flatten()
        .map(|curve| (curve.peak, curve.color))
        .collect()
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
