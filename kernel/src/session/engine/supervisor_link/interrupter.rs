//! Interrupts what the session is running.

use std::sync::Arc;

use memit_runtime::link::Request;

use super::state::Shared;
use crate::session::engine::build_watch;

/// Stops what the session is running. Cheap to clone, usable from any thread.
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
            tracing::warn!("the interrupt did not reach the session: {error}");
        }
        let busy = state.busy;
        drop(state);
        if busy {
            build_watch::stop();
        }
    }

    /// A cell begins: an interrupt until now was none of it.
    pub(crate) fn forget(&self) {
        self.shared.lock().interrupted = false;
    }
}
