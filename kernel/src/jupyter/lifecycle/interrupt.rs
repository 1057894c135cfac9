//! Interrupts the running cell from any thread.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::session::Interrupter;

/// Interrupts the session or, before the session has started, the cell that waits for it. Cheap to
/// clone, usable from any thread.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    interrupter: Arc<OnceLock<Interrupter>>,
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Called when the session has started: later interrupts go to `interrupter`.
    pub(crate) fn connect(&self, interrupter: Interrupter) {
        // A kernel has one session, so this is the first call.
        let _ = self.interrupter.set(interrupter);
    }

    /// Asks the running cell to stop; returns at once.
    pub(crate) fn interrupt(&self) {
        self.asked.store(true, Relaxed);
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.interrupt();
        }
    }

    /// Called when a cell starts: discards interrupts meant for earlier cells.
    pub(crate) fn forget(&self) {
        self.asked.store(false, Relaxed);
        if let Some(interrupter) = self.interrupter.get() {
            interrupter.forget();
        }
    }

    /// Whether the cell that started last has been interrupted.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }
}
