//! One axis for the heap and the resident memory.

use super::axis::Axis;
use super::curve::{Curve, Of};

/// An axis that shows all curves.
///
/// If the program's memory barely changes, the axis zooms in and the heap would fall below it. Then
/// the heap curve is shifted up to start where the program starts; the legend gives its true peak.
pub(super) fn axis(curves: &mut [Curve]) -> Axis {
    let axis = around(curves, 0.0);
    if axis.low > 0.0 {
        return axis;
    }
    let start = |of: Of| {
        let curve = curves.iter().find(|curve| curve.of == of)?;
        curve.points.first().map(|point| point.memory)
    };
    let (Some(program), Some(heap)) = (start(Of::Program), start(Of::Heap)) else {
        return axis;
    };
    let by = program - heap;
    let close = around(curves, by);
    if close.low <= 0.0 {
        return axis;
    }
    for curve in curves.iter_mut().filter(|curve| curve.of == Of::Heap) {
        curve.raise(by);
    }
    close
}

/// The axis for a heap that is raised by `raised` bytes.
fn around(curves: &[Curve], raised: f64) -> Axis {
    let ends = curves.iter().flat_map(|curve| {
        let by = if curve.of == Of::Heap { raised } else { 0.0 };
        curve.points.iter().map(move |point| point.memory + by)
    });
    let (lowest, highest) = ends.fold((f64::INFINITY, 0.0_f64), |(lowest, highest), memory| {
        (lowest.min(memory), highest.max(memory))
    });
    Axis::of_memory(lowest, highest)
}
