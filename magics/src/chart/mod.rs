//! Profiles as charts of memory over time: in SVG, in HTML, in a terminal.
//!
//! A [`Chart`] is what is to be seen, in seconds and bytes; the views place it.

mod axis;
mod braille;
mod curve;
mod functions;
mod html;
mod legend;
mod svg;
mod terminal;

use axis::Axis;
use curve::{Curve, Point};
use functions::Phase;
pub use html::html;
pub use svg::{Theme, svg};
pub use terminal::terminal;

use crate::profile::Profile;
use crate::units;

/// Colours that can be told apart, and read on white and on black. The first is the program's.
const COLORS: [&str; 7] = [
    "#2b7fd4", "#d9730d", "#2f9e5b", "#c94f7c", "#8a63d2", "#1797a6", "#a67c00",
];

/// How functions and phases are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Functions {
    /// Not at all.
    Hidden,
    /// As brackets around their part of the curve.
    #[default]
    Brackets,
    /// As bars, those that were called on top of those that called.
    Flame,
}

/// What a chart is to show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Above the chart; without one, the command line of a profile that is alone.
    pub title: Option<String>,
    /// From and to, in seconds from the start of each profile; all without one.
    pub window: Option<(f64, f64)>,
    /// A straight line through each curve, and its slope.
    pub slope: bool,
    /// Functions and phases; those of several profiles are not shown.
    pub functions: Functions,
}

/// Nothing to draw.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("there are no samples from {from} to {to} s: the profile is {length:.3} s long")]
pub struct EmptyWindow {
    from: f64,
    to: f64,
    length: f64,
}

/// Curves, functions, peaks and the axes that they are drawn on.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    title: String,
    curves: Vec<Curve>,
    phases: Vec<Phase>,
    functions: Functions,
    /// Peaks that stand out, each with the colour of its curve.
    marks: Vec<(Point, usize)>,
    time: Axis,
    memory: Axis,
}

impl Chart {
    /// A chart of profiles, each with what the legend calls it.
    ///
    /// # Errors
    ///
    /// If the window shows nothing.
    pub fn new(profiles: &[(String, &Profile)], options: &Options) -> Result<Self, EmptyWindow> {
        let mut curves = Vec::new();
        let mut phases = Vec::new();
        let mut length = 0.0_f64;
        for (index, (label, profile)) in profiles.iter().enumerate() {
            let samples = profile.curve();
            let start = samples.first().map_or(0.0, |sample| sample.time);
            let own = Curve::new(
                label.clone(),
                index % COLORS.len(),
                &samples,
                start,
                options,
            );
            length = length.max(own.end());
            curves.push(own);
            for (index, child) in profile.children.iter().enumerate() {
                let name = format!("child {}", child.name);
                // From the other end, as functions start from the second.
                let color = COLORS.len() - 1 - index % (COLORS.len() - 1);
                let child = Curve::new(name, color, &child.samples, start, options);
                length = length.max(child.end());
                curves.push(child.of_child());
            }
            if profiles.len() == 1 && options.functions != Functions::Hidden {
                phases = functions::phases(profile, start);
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
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let lowest = points()
            .map(|point| point.memory)
            .fold(f64::INFINITY, f64::min);
        let highest = points().map(|point| point.memory).fold(0.0, f64::max);
        let title = options.title.clone().or_else(|| match profiles {
            [(_, profile)] => profile.command.clone(),
            _ => None,
        });
        Ok(Self {
            title: title.unwrap_or_default(),
            marks: marks(&curves),
            curves,
            phases,
            functions: options.functions,
            time: Axis::of_time(window.0, window.1),
            memory: Axis::of_memory(lowest, highest),
        })
    }

    /// What one would say of the chart to someone who cannot see it.
    fn description(&self) -> String {
        let length = units::time((self.time.high - self.time.low) * 1e9, 4);
        let mut parts = vec![format!("Memory over {length}.")];
        parts.extend(self.curves.iter().map(|curve| {
            let (name, peak) = (&curve.name, curve.peak);
            let at = units::time(peak.time * 1e9, 4);
            format!("{name}: peak {} at {at}.", bytes(peak.memory))
        }));
        if !self.phases.is_empty() {
            let all: Vec<_> = functions::totals(&self.phases)
                .iter()
                .map(functions::Total::text)
                .collect();
            parts.push(format!("Functions: {}.", all.join("; ")));
        }
        parts.join(" ")
    }
}

/// The highest peak of the programs and, where there are children, theirs.
fn marks(curves: &[Curve]) -> Vec<(Point, usize)> {
    let highest = |of_children: bool| {
        let curves = curves.iter().filter(|curve| curve.is_child == of_children);
        curves
            .map(|curve| (curve.peak, curve.color))
            .reduce(|one, other| {
                if other.0.memory > one.0.memory {
                    other
                } else {
                    one
                }
            })
    };
    [highest(false), highest(true)]
        .into_iter()
        .flatten()
        .collect()
}

/// A size that a curve has, as text.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn bytes(memory: f64) -> String {
    units::bytes(memory as u64)
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
