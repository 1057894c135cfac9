//! Requests to end the kernel, and the threads that must finish before the process ends.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Requests the end of the kernel. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(crate) struct ExitRequest(Sender<()>);

/// Requests the end of the kernel on drop, even after a panic.
pub(crate) struct ExitOnDrop(pub(crate) ExitRequest);

/// Lets the main thread wait for an [`ExitRequest`].
pub(crate) struct ExitRequests(Receiver<()>);

/// Held by a thread whose work should finish before the process ends.
#[derive(Clone)]
pub(crate) struct Alive {
    _held: Sender<()>,
}

/// Lets the main thread wait until nobody holds [`Alive`].
pub(crate) struct AllEnded(Receiver<()>);

/// Creates an [`ExitRequest`] and its receiver.
pub(crate) fn exit_requests() -> (ExitRequest, ExitRequests) {
    let (sender, receiver) = channel();
    (ExitRequest(sender), ExitRequests(receiver))
}

/// Creates a token for threads and the receiver that waits for them.
pub(crate) fn alive() -> (Alive, AllEnded) {
    let (sender, receiver) = channel();
    (Alive { _held: sender }, AllEnded(receiver))
}

impl ExitRequest {
    /// Asks the main thread to end the kernel; returns at once.
    pub(crate) fn request(&self) {
        // The main thread stops listening once it is ending the kernel.
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
        // An error means that every thread which could request the end has ended.
        let _ = self.0.recv();
    }
}

impl AllEnded {
    /// Waits until every [`Alive`] has been dropped, for at most `limit`; returns whether that
    /// happened.
    pub(crate) fn wait(self, limit: Duration) -> bool {
        matches!(
            self.0.recv_timeout(limit),
            Err(RecvTimeoutError::Disconnected)
        )
    }
}
