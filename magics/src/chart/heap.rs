//! The heap on one axis with the resident memory.

use super::axis::Axis;
use super::curve::{Curve, Of};

/// An axis on which all curves can be seen.
///
/// Where the memory of the program hardly moves, it is looked at closely, and the heap, which is
/// smaller, may lie far below what is then seen. It is raised to start with the program: how it
/// moves can be compared with that, and what it is at its highest stands in the legend.
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

/// The axis if the heap were raised that far.
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
