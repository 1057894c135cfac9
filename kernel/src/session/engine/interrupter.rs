//! Interrupts a cell, whether it is being built or running.

use super::build_watch;
use super::supervisor_link::InterruptSender;

/// Interrupts the running cell. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(crate) struct Interrupter {
    sender: InterruptSender,
}

impl Interrupter {
    /// Creates an interrupter of the session at the other end of `sender`.
    pub(super) fn new(sender: InterruptSender) -> Self {
        Self { sender }
    }

    /// Asks the running cell to stop; returns at once.
    pub(crate) fn interrupt(&self) {
        if self.sender.send() {
            build_watch::stop();
        }
    }

    /// Called when a cell starts: discards interrupts meant for earlier cells.
    pub(crate) fn forget(&self) {
        self.sender.forget();
    }
}
