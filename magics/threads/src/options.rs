//! How threads are stopped.

use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

/// How threads are stopped.
#[derive(Clone, Copy)]
pub struct StopOptions {
    pub(crate) limit: Duration,
    pub(crate) may_stop: Option<fn() -> bool>,
}

impl StopOptions {
    /// The time after which the threads go on if one of them blocks the signal or waits where no
    /// signal reaches it. A thread that only waits for a processor, or may not stop yet, gets
    /// twenty times as long. 100 ms if not set.
    #[must_use]
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Has each thread ask `may_stop` whether the thread may stop where it is. A thread that may
    /// not is asked again soon after. So nobody need be stopped in `malloc`, if `malloc` notes who
    /// is inside.
    ///
    /// # Safety
    ///
    /// The function runs in a signal handler, at any moment of a thread's life: it must be
    /// async-signal-safe.
    #[must_use]
    pub unsafe fn may_stop(self, may_stop: fn() -> bool) -> Self {
        Self {
            may_stop: Some(may_stop),
            ..self
        }
    }
}

impl Default for StopOptions {
    fn default() -> Self {
        Self {
            limit: Duration::from_millis(100),
            may_stop: None,
        }
    }
}

impl Debug for StopOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopOptions")
            .field("limit", &self.limit)
            .field("may_stop", &self.may_stop.is_some())
            .finish()
    }
}
