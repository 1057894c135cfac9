//! Axes with units and round numbers.

use crate::units;

const TIME_UNITS: [(&str, f64); 6] = [
    ("h", 3_600.0),
    ("min", 60.0),
    ("s", 1.0),
    ("ms", 1e-3),
    ("μs", 1e-6),
    ("ns", 1e-9),
];

const GIB: f64 = 1_073_741_824.0;
const BYTE_UNITS: [(&str, f64); 5] = [
    ("TiB", 1_099_511_627_776.0),
    ("GiB", GIB),
    ("MiB", 1_048_576.0),
    ("KiB", 1_024.0),
    ("B", 1.0),
];

/// A range of seconds or bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) unit: &'static str,
    /// The unit in seconds or bytes.
    length: f64,
}

/// A round number on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// In seconds or bytes.
    pub(super) value: f64,
    /// The number in the unit of the axis, without the unit.
    pub(super) label: String,
}

impl Axis {
    /// An axis from exactly `low` to `high` seconds.
    pub(super) fn of_time(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        // Up to two minutes, seconds read better than minutes.
        let (unit, length) = unit_of(&TIME_UNITS, if high < 60.0 { high } else { high / 2.0 });
        Self {
            low,
            high,
            unit,
            length,
        }
    }

    /// An axis from 0 to above `highest` bytes. If the curve would look flat on it, the axis zooms
    /// in.
    pub(super) fn of_memory(lowest: f64, highest: f64) -> Self {
        let range = highest - lowest;
        // A curve that moves by a page is flat.
        let is_seen = range > (highest / 1_000.0).min(65_536.0);
        let low = if is_seen && range < highest / 5.0 {
            (lowest - range * 0.25).max(0.0)
        } else {
            0.0
        };
        let highest = if highest > 0.0 { highest } else { 1.0 };
        // In GiB, ticks a few MiB apart would differ only in the third decimal.
        let told = if low > 0.0 { range * 10.0 } else { highest };
        let (unit, length) = unit_of(&BYTE_UNITS, told.min(highest));
        let (room, flat) = ((highest - low) * 0.12, highest * 0.12);
        Self {
            low,
            // Room for the label of the peak.
            high: highest + if room > 0.0 { room } else { flat },
            unit,
            length,
        }
    }

    /// The position of a value on the axis: 0 at the low end, 1 at the high end.
    pub(super) fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// A size as text, as exact as the axis: in MiB if the axis is in MiB.
    pub(super) fn size(&self, memory: f64) -> String {
        let bytes = units::whole(memory);
        if self.length < GIB && memory >= GIB {
            units::mib(bytes)
        } else {
            units::bytes(bytes)
        }
    }

    /// At most `most` round numbers on the axis.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let range = (self.high - self.low) / self.length;
        let step = step(range / most.max(1) as f64, self.unit);
        let decimals = if step < 1.0 {
            -step.log10().floor()
        } else {
            0.0
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let decimals = decimals as usize;
        let (from, to) = (
            self.low / self.length / step,
            self.high / self.length / step,
        );
        let mut ticks = Vec::new();
        let mut at = (from - 1e-9).ceil();
        while at <= to + 1e-9 {
            let number = at * step;
            ticks.push(Tick {
                value: number * self.length,
                // Adding 0 turns -0 into 0.
                label: format!("{:.decimals$}", number + 0.0),
            });
            at += 1.0;
        }
        ticks
    }
}

fn unit_of(units: &[(&'static str, f64)], value: f64) -> (&'static str, f64) {
    let fits = units.iter().copied().find(|(_, length)| value >= *length);
    fits.or(units.last().copied()).expect("there are units")
}

/// The smallest round step of at least `least`.
fn step(least: f64, unit: &str) -> f64 {
    // Minutes and hours have the steps of a clock.
    let steps: &[f64] = match unit {
        "min" => &[1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0],
        "h" => &[1.0, 2.0, 3.0, 6.0, 12.0, 24.0],
        _ => &[],
    };
    if let Some(step) = steps.iter().find(|step| **step >= least) {
        return *step;
    }
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, most: usize) -> String {
        let labels: Vec<_> = axis
            .ticks(most)
            .into_iter()
            .map(|tick| tick.label)
            .collect();
        format!("{} {}", labels.join(" "), axis.unit)
    }

    #[test]
    fn units_and_steps_fit_the_range() {
        assert_eq!(
            labels(&Axis::of_time(0.0, 3.2), 8),
            "0.0 0.5 1.0 1.5 2.0 2.5 3.0 s"
        );
        assert_eq!(
            labels(&Axis::of_time(0.0, 0.032), 8),
            "0 5 10 15 20 25 30 ms"
        );
        assert_eq!(labels(&Axis::of_time(0.0, 100.0), 6), "0 20 40 60 80 100 s");
        assert_eq!(labels(&Axis::of_time(0.0, 4_000.0), 6), "0 15 30 45 60 min");
        assert_eq!(labels(&Axis::of_time(0.0, 90_000.0), 6), "0 6 12 18 24 h");
        assert_eq!(
            labels(&Axis::of_time(2.0, 2.5), 5),
            "2.0 2.1 2.2 2.3 2.4 2.5 s"
        );
        assert_eq!(
            labels(&Axis::of_memory(1e6, 200.0 * 1_048_576.0), 5),
            "0 50 100 150 200 MiB"
        );
        assert_eq!(
            labels(&Axis::of_memory(0.0, 2e9), 5),
            "0.0 0.5 1.0 1.5 2.0 GiB"
        );
    }

    #[test]
    fn a_curve_that_hardly_moves_is_looked_at_closely() {
        let axis = Axis::of_memory(1_000.0 * 1_048_576.0, 1_010.0 * 1_048_576.0);
        assert_eq!(
            labels(&axis, 5),
            "998 1000 1002 1004 1006 1008 1010 MiB"
                .replace("998 1000 1002 1004 1006 1008 1010", "1000 1005 1010")
        );
        assert_eq!(axis.size(1_034.1 * 1_048_576.0), "1034.10 MiB");
        let far = Axis::of_memory(0.0, 1_034.1 * 1_048_576.0);
        assert_eq!(far.size(1_034.1 * 1_048_576.0), "1.01 GiB");
        // In GiB, all ticks would have the same label.
        let close = Axis::of_memory(1_030.0 * 1_048_576.0, 1_034.0 * 1_048_576.0);
        assert_eq!(labels(&close, 5), "1030 1032 1034 MiB");
        // The axis does not zoom in on a constant curve, nor on one that moves by a page.
        assert!(Axis::of_memory(1e9, 1e9 + 4_096.0).low.abs() < f64::EPSILON);
        assert!(Axis::of_memory(5.0, 5.0).low.abs() < f64::EPSILON);
    }

    #[test]
    fn nothing_at_no_time_still_has_an_axis() {
        for axis in [Axis::of_time(0.0, 0.0), Axis::of_memory(0.0, 0.0)] {
            assert!(axis.high > axis.low);
            assert!(!axis.ticks(5).is_empty());
        }
    }
}
