//! Who may end the kernel, and who must have ended before the process does.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Ends the kernel. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(crate) struct ExitRequest(Sender<()>);

/// Ends the kernel when it is dropped, by a panic too.
pub(crate) struct ExitOnDrop(pub(crate) ExitRequest);

/// Where the main thread waits for an [`ExitRequest`].
pub(crate) struct ExitRequests(Receiver<()>);

/// Held by a thread whose work should be over before the process ends.
#[derive(Clone)]
pub(crate) struct Alive {
    _held: Sender<()>,
}

/// Where the main thread waits until no one holds [`Alive`] any more.
pub(crate) struct AllEnded(Receiver<()>);

/// A way to end the kernel, and the place to wait for it.
pub(crate) fn exit_requests() -> (ExitRequest, ExitRequests) {
    let (sender, receiver) = channel();
    (ExitRequest(sender), ExitRequests(receiver))
}

/// A token for the threads to wait for, and the place to wait.
pub(crate) fn alive() -> (Alive, AllEnded) {
    let (sender, receiver) = channel();
    (Alive { _held: sender }, AllEnded(receiver))
}

impl ExitRequest {
    /// Asks the main thread to end the kernel; returns at once.
    pub(crate) fn request(&self) {
        // The main thread stops listening when it ends the kernel already.
        let _ = self.0.send(());
    }
}

impl Drop for ExitOnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}

impl ExitRequests {
    /// Returns when the kernel should end.
    pub(crate) fn wait(self) {
        // An error means that every thread that could ask has ended: no one is left to serve.
        let _ = self.0.recv();
    }
}

impl AllEnded {
    /// Waits until every holder of [`Alive`] has ended, but no longer than `limit`; says whether
    /// they have.
    pub(crate) fn wait(self, limit: Duration) -> bool {
        matches!(
            self.0.recv_timeout(limit),
            Err(RecvTimeoutError::Disconnected)
        )
    }
}
