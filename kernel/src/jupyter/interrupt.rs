//! Interrupts the running cell from whichever thread is asked to.

use std::sync::{Arc, OnceLock};

use crate::session::Interrupter;

/// Interrupts the session once there is one. Cheap to clone, usable from any thread.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    interrupter: Arc<OnceLock<Interrupter>>,
}

impl Interrupt {
    /// The session has started; this stops what it runs.
    pub(crate) fn connect(&self, interrupter: Interrupter) {
        // There is one session to a kernel, so no other interrupter can be in the way.
        let _ = self.interrupter.set(interrupter);
    }

    /// Asks the running cell to stop; returns at once. While the session starts, nothing runs
    /// that could be stopped.
    pub(crate) fn interrupt(&self) {
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.interrupt();
        } else {
            tracing::debug!("nothing to interrupt: the session is starting");
        }
    }
}
