//! `%time`: measures statements that run once, in the session itself.

use std::sync::{Mutex, PoisonError};

use memit_measurement::{Measured, OnceMeasurement};

use crate::cost::CostMeter;
use crate::host::Host;
use crate::{heap, settle};

/// The statements that are measured.
enum State {
    Running(CostMeter),
    Finished(OnceMeasurement),
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// Measures from now on, until [`finish`].
pub(crate) fn begin(host: &Host) {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    settle::trim_heap();
    settle::map_code(&host.cell());
    heap::pass_hooks();
    *state = Some(State::Running(CostMeter::start()));
    // The session may have threads from before.
    heap::start(true);
}

/// The statements have ended: what follows is not measured.
pub(crate) fn finish() {
    let heap = heap::counts();
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(State::Running(meter)) = &*state {
        let cost = meter.cost();
        heap::stop();
        *state = Some(State::Finished(OnceMeasurement {
            cost,
            heap_peak: heap.peak,
            heap_allocated: heap.allocated,
            allocations: heap.allocations,
            heap_retained: heap.live,
        }));
    }
}

/// The measurement of the cell that ends; `None` if there is none.
pub fn end_cell() -> Option<Measured> {
    finish();
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    match state.take()? {
        State::Finished(measurement) => Some(Measured::Once(measurement)),
        State::Running(_) => None,
    }
}
