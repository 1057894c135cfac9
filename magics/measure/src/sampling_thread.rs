//! A thread that samples its own process, for runs in place.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use memit_process::Pace;

use crate::{heap, outlasting};

/// The interval if the user asks for none.
pub(crate) const DEFAULT_INTERVAL: Duration = Duration::from_millis(1);

/// A thread that updates an `S` at every sample. The heap hooks do not count the thread.
pub(crate) struct SamplingThread<S> {
    name: &'static str,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<S>,
}

impl<S: Send + 'static> SamplingThread<S> {
    /// Starts a thread with this name. The thread passes `samples` to `sample` at once, and then at
    /// every `interval`.
    ///
    /// # Errors
    ///
    /// If the system refuses the thread.
    pub(crate) fn start(
        name: &'static str,
        interval: Duration,
        mut samples: S,
        mut sample: impl FnMut(&mut S) + Send + 'static,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                heap::set_thread_aside();
                outlasting::set_thread_aside();
                let mut pace = Pace::starting(Instant::now(), interval);
                while !stopped.load(Relaxed) {
                    sample(&mut samples);
                    std::thread::sleep(pace.left(Instant::now()));
                    pace.is_due(Instant::now());
                }
                samples
            })?;
        Ok(Self { name, stop, thread })
    }

    /// Stops the thread and returns its samples.
    ///
    /// # Errors
    ///
    /// If the thread has panicked.
    pub(crate) fn stop(self) -> io::Result<S> {
        self.stop.store(true, Relaxed);
        let panicked = |_| io::Error::other(format!("the thread `{}` has panicked", self.name));
        self.thread.join().map_err(panicked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_samples_until_it_is_stopped() {
        let (sender, sampled) = mpsc::channel();
        let sample = move |count: &mut u32| {
            *count += 1;
            let _ = sender.send(*count);
        };
        let thread = SamplingThread::start("test", Duration::from_micros(10), 0, sample).unwrap();
        assert_eq!(sampled.iter().take(3).collect::<Vec<_>>(), [1, 2, 3]);
        let count = thread.stop().unwrap();
        assert!(count >= 3);
        assert_eq!(sampled.iter().last().unwrap_or(3), count);
    }
}
