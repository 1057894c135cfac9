//! Sends interrupts to the supervisor from any thread.

use std::sync::Arc;

use memit_measurement::Request;

use super::state::Shared;

/// Interrupts the code that the session process runs. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(crate) struct InterruptSender {
    pub(super) shared: Arc<Shared>,
}

impl InterruptSender {
    /// Asks the running cell to stop; returns at once. Returns whether a cell is running.
    pub(crate) fn send(&self) -> bool {
        let mut state = self.shared.lock();
        state.interrupted = true;
        if let Err(error) = state.send(Request::Interrupt) {
            tracing::warn!("cannot send the interrupt to the session: {error}");
        }
        state.busy
    }

    /// Discards the interrupts that were sent so far.
    pub(crate) fn forget(&self) {
        self.shared.lock().interrupted = false;
    }
}
