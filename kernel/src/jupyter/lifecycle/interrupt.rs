//! Interrupts the running cell from whichever thread is asked to.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::session::Interrupter;

/// Interrupts the session once there is one, and before that the cell that waits for it. Cheap to
/// clone, usable from any thread.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    interrupter: Arc<OnceLock<Interrupter>>,
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// The session has started; this stops what it runs.
    pub(crate) fn connect(&self, interrupter: Interrupter) {
        // There is one session to a kernel, so no other interrupter can be in the way.
        let _ = self.interrupter.set(interrupter);
    }

    /// Asks the running cell to stop; returns at once.
    pub(crate) fn interrupt(&self) {
        self.asked.store(true, Relaxed);
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.interrupt();
        }
    }

    /// A cell begins: an interrupt until now was none of it.
    pub(crate) fn forget(&self) {
        self.asked.store(false, Relaxed);
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.forget();
        }
    }

    /// Whether the cell that began last has been interrupted.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }
}
