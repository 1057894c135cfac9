//! A curve of a chart.

use super::Options;
use super::axis::Axis;
use crate::mprof_file::Sample;
use crate::stats::highest_by;

/// The memory at a moment, in bytes and in seconds from the start.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Point {
    pub(super) time: f64,
    pub(super) memory: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) name: String,
    /// Index into the colours.
    pub(super) color: usize,
    pub(super) of: Of,
    /// In order of time.
    pub(super) points: Vec<Point>,
    /// The highest visible point.
    pub(super) peak: Point,
    pub(super) trend: Option<Trend>,
    /// Offset in bytes added to every point when drawing, so that the curve is visible.
    pub(super) raised: f64,
}

/// The owner of the memory that a curve shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Program,
    /// The live heap of the program.
    Heap,
    Child,
}

/// A straight line, in bytes over seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trend {
    pub(super) slope: f64,
    at_start: f64,
}

impl Curve {
    pub(super) fn new(
        name: String,
        color: usize,
        samples: &[Sample],
        start: f64,
        options: &Options,
    ) -> Self {
        let points: Vec<_> = samples.iter().map(|sample| at(*sample, start)).collect();
        Self {
            name,
            color,
            of: Of::Program,
            peak: highest(&points),
            trend: options.slope.then(|| Trend::of(&points)).flatten(),
            points,
            raised: 0.0,
        }
    }

    pub(super) fn of(mut self, of: Of) -> Self {
        self.of = of;
        self
    }

    /// Moves the curve up, or down if `bytes` is negative.
    pub(super) fn raise(&mut self, bytes: f64) {
        self.raised = bytes;
        for point in &mut self.points {
            point.memory += bytes;
        }
    }

    /// `heap, peak 12.00 MiB`, with a note if the curve is raised.
    pub(super) fn text(&self, axis: &Axis) -> String {
        let (name, peak) = (&self.name, axis.size(self.peak.memory));
        format!("{name}, peak {peak}{}", self.raised_text(axis))
    }

    /// ` (drawn 3.00 MiB higher)`; empty if the curve is not raised.
    pub(super) fn raised_text(&self, axis: &Axis) -> String {
        match self.raised {
            0.0 => String::new(),
            up if up > 0.0 => format!(" (drawn {} higher)", axis.size(up)),
            down => format!(" (drawn {} lower)", axis.size(-down)),
        }
    }

    pub(super) fn end(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.time)
    }

    /// Cuts the curve off at the edges of the window.
    pub(super) fn clip(&mut self, (from, to): (f64, f64)) {
        let first = self.points.partition_point(|point| point.time < from);
        let behind = self.points.partition_point(|point| point.time <= to);
        let mut inside = self.points.get(first..behind).unwrap_or_default().to_vec();
        let crosses = |at: usize, time: f64| {
            let pair = [self.points.get(at.checked_sub(1)?)?, self.points.get(at)?];
            Some(between(*pair[0], *pair[1], time))
        };
        if first <= behind {
            inside.splice(0..0, crosses(first, from));
            inside.extend(crosses(behind, to));
        }
        self.points = inside;
        self.peak = highest(&self.points);
    }

    /// The points that a line of this width needs. The first, last, highest and lowest point of
    /// each column draw the same line as all its points.
    pub(super) fn thinned(&self, columns: usize, column: impl Fn(f64) -> f64) -> Vec<Point> {
        if self.points.len() <= columns * 4 {
            return self.points.clone();
        }
        let mut thinned = Vec::with_capacity(columns * 4);
        let same = |one: &Point, other: &Point| {
            let (one, other) = (column(one.time).floor(), column(other.time).floor());
            one.total_cmp(&other).is_eq()
        };
        for points in self.points.chunk_by(same) {
            let by_memory = |at: &usize| points[*at].memory;
            let order = |one: &usize, other: &usize| by_memory(one).total_cmp(&by_memory(other));
            let lowest = (0..points.len()).min_by(order).unwrap_or_default();
            let highest = (0..points.len()).max_by(order).unwrap_or_default();
            let mut kept = [0, lowest, highest, points.len() - 1];
            kept.sort_unstable();
            let mut before = None;
            for at in kept {
                if before != Some(at) {
                    thinned.push(points[at]);
                }
                before = Some(at);
            }
        }
        thinned
    }
}

impl Trend {
    /// The line of least squares; `None` if all points have the same time.
    fn of(points: &[Point]) -> Option<Self> {
        let count = points.len() as f64;
        let mean = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (time, memory) = (mean(|point| point.time), mean(|point| point.memory));
        let (mut product, mut square) = (0.0, 0.0);
        for point in points {
            product += (point.time - time) * (point.memory - memory);
            square += (point.time - time).powi(2);
        }
        (square > 0.0).then(|| {
            let slope = product / square;
            Self {
                slope,
                at_start: memory - slope * time,
            }
        })
    }

    pub(super) fn at(self, time: f64) -> f64 {
        self.at_start + self.slope * time
    }

    /// In MiB per second, as `mprof` writes it.
    pub(super) fn text(self) -> String {
        format!("slope {:.5} MiB/s", self.slope / 1_048_576.0)
    }
}

pub(super) fn at(sample: Sample, start: f64) -> Point {
    Point {
        time: sample.time - start,
        memory: sample.memory as f64,
    }
}

fn between(one: Point, other: Point, time: f64) -> Point {
    let share = (time - one.time) / (other.time - one.time);
    Point {
        time,
        memory: one.memory + share * (other.memory - one.memory),
    }
}

fn highest(points: &[Point]) -> Point {
    highest_by(points.iter().copied(), |point| point.memory).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Curve {
        let points: Vec<_> = points
            .iter()
            .map(|&(time, memory)| Point { time, memory })
            .collect();
        Curve {
            name: String::new(),
            color: 0,
            of: Of::Program,
            peak: highest(&points),
            trend: Trend::of(&points),
            points,
            raised: 0.0,
        }
    }

    #[test]
    fn a_window_cuts_lines_at_its_edges() {
        let mut clipped = curve(&[(0.0, 0.0), (10.0, 100.0), (20.0, 0.0)]);
        clipped.clip((5.0, 12.0));
        assert_eq!(
            clipped.points,
            curve(&[(5.0, 50.0), (10.0, 100.0), (12.0, 80.0)]).points
        );
        let mut between = curve(&[(0.0, 0.0), (10.0, 100.0)]);
        between.clip((4.0, 6.0));
        assert_eq!(between.points, curve(&[(4.0, 40.0), (6.0, 60.0)]).points);
        let mut outside = curve(&[(0.0, 0.0), (10.0, 100.0)]);
        outside.clip((11.0, 12.0));
        assert!(outside.points.is_empty());
    }

    #[test]
    fn a_thinned_curve_keeps_every_peak() {
        let mut points: Vec<_> = (0..100_000).map(|at| (f64::from(at), 10.0)).collect();
        points[54_321].1 = 99.0;
        points[54_322].1 = 1.0;
        let curve = curve(&points);
        let thinned = curve.thinned(100, |time| time / 1_000.0);
        assert!(thinned.len() <= 400);
        assert!(thinned.contains(&curve.points[54_321]) && thinned.contains(&curve.points[54_322]));
        assert!(thinned.is_sorted_by(|one, other| one.time < other.time));
    }

    #[test]
    fn the_trend_of_a_line_is_the_line() {
        let trend = curve(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]).trend.unwrap();
        assert!((trend.slope - 2.0).abs() < 1e-12 && (trend.at(3.0) - 7.0).abs() < 1e-12);
        assert_eq!(curve(&[(1.0, 1.0)]).trend, None);
    }
}
