//! The last resort for a peak: reading the resident set size at an interval.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use memit_process::resident;

use crate::heap;

/// How often it reads when the user does not say.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_millis(1);

/// A thread that reads until it is stopped. Peaks between two readings are missed.
pub(crate) struct Sampler {
    shared: Arc<Samples>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Samples {
    peak: AtomicU64,
    stop: AtomicBool,
}

impl Sampler {
    /// Starts reading every `interval`.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub(crate) fn start(interval: Duration) -> std::io::Result<Self> {
        let shared = Arc::new(Samples::default());
        let samples = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("memory sampler".to_owned())
            .spawn(move || {
                heap::set_thread_aside();
                while !samples.stop.load(Relaxed) {
                    samples.peak.fetch_max(resident(), Relaxed);
                    std::thread::sleep(interval);
                }
            })?;
        Ok(Self { shared, thread })
    }

    /// Stops and gives the highest reading in bytes, one made now included.
    pub(crate) fn stop(self) -> u64 {
        let last = resident();
        self.shared.stop.store(true, Relaxed);
        let _ = self.thread.join();
        self.shared.peak.load(Relaxed).max(last)
    }
}
