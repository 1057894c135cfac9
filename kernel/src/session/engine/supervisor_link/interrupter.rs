//! Interrupts the session from any thread.

use std::sync::Arc;

use memit_runtime::link::Request;

use super::state::Shared;
use crate::session::engine::build_watch;

/// Interrupts the running cell. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(crate) struct Interrupter {
    pub(super) shared: Arc<Shared>,
}

impl Interrupter {
    /// Asks the running cell to stop; returns at once.
    pub(crate) fn interrupt(&self) {
        let mut state = self.shared.lock();
        state.interrupted = true;
        if let Err(error) = state.send(Request::Interrupt) {
            tracing::warn!("cannot send the interrupt to the session: {error}");
        }
        let busy = state.busy;
        drop(state);
        if busy {
            build_watch::stop();
        }
    }

    /// Called when a cell starts: discards interrupts meant for earlier cells.
    pub(crate) fn forget(&self) {
        self.shared.lock().interrupted = false;
    }
}
