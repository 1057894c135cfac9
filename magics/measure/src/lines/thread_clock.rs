//! The clock of a thread: stands still while the thread waits for a processor.
//!
//! A thread that shares a processor with others is interrupted somewhere, for milliseconds. The line
//! on which this happens is not slow. The system tells how long a thread has waited; asking takes some
//! microseconds, so the clock asks only after a time that is long enough for a wait.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clock::{SyncPoint, ticks};

/// Ticks between two readings in which a thread may have waited: below a millisecond.
const LONG: u64 = if cfg!(target_arch = "x86_64") {
    1_000_000
} else {
    10_000
};

/// The moment from which the length of a tick is measured.
static BEGAN: Mutex<Option<SyncPoint>> = Mutex::new(None);

/// Begins to measure the length of a tick. Call this before the first reading of any thread.
pub(super) fn begin() {
    *BEGAN.lock().unwrap_or_else(PoisonError::into_inner) = Some(SyncPoint::now());
}

/// The clock of one thread. Only this thread reads the clock.
pub(super) struct ThreadClock {
    /// Ticks at the last reading.
    last: AtomicU64,
    /// Ticks for which the thread has waited.
    waited: AtomicU64,
    /// Nanoseconds for which the thread has waited in all, when the clock last asked.
    asked: AtomicU64,
}

impl ThreadClock {
    pub(super) const fn new() -> Self {
        Self {
            last: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }
    }

    /// Makes this the clock of the calling thread.
    pub(super) fn start(&self) {
        self.waited.store(0, Relaxed);
        self.asked.store(waited_ns(), Relaxed);
        self.last.store(ticks(), Relaxed);
    }

    /// The time of the calling thread, in ticks.
    #[inline]
    pub(super) fn read(&self) -> u64 {
        let now = ticks();
        let since = now.saturating_sub(self.last.load(Relaxed));
        self.last.store(now, Relaxed);
        if since > LONG {
            return self.leave_out_waiting(now, since);
        }
        now.saturating_sub(self.waited.load(Relaxed))
    }

    /// The time, if the last reading was long ago: without what the thread has waited meanwhile.
    #[cold]
    fn leave_out_waiting(&self, now: u64, since: u64) -> u64 {
        let asked = waited_ns();
        let waited = asked.saturating_sub(self.asked.swap(asked, Relaxed));
        let began = *BEGAN.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = began.map_or(0, |began| began.ticks_in(Duration::from_nanos(waited)));
        let waited = self.waited.load(Relaxed) + waited.min(since);
        // The question took time, too.
        let after = ticks();
        self.last.store(after, Relaxed);
        self.waited
            .store(waited + after.saturating_sub(now), Relaxed);
        now.saturating_sub(waited)
    }
}

/// How long a thread has waited for a processor, in nanoseconds, according to its `schedstat`.
pub(super) fn waited_in(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// How long the calling thread has waited for a processor since its start, in nanoseconds; 0 where
/// the system does not tell. Does not allocate: allocations of the thread may be counted.
#[cfg(target_os = "linux")]
fn waited_ns() -> u64 {
    use rustix::fs::{Mode, OFlags, open};

    let mut text = [0; 64];
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let length = open(c"/proc/thread-self/schedstat", flags, Mode::empty())
        .and_then(|file| rustix::io::read(file, &mut text))
        .unwrap_or(0);
    let text = text.get(..length).unwrap_or_default();
    waited_in(std::str::from_utf8(text).unwrap_or_default()).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn waited_ns() -> u64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;
    use std::time::Instant;

    use super::*;

    fn spin(time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn threads_that_share_a_processor_count_their_own_part() {
        begin();
        let began = SyncPoint::now();
        let pinned = || {
            let mut one = rustix::thread::CpuSet::new();
            let all = rustix::thread::sched_getaffinity(None).unwrap();
            let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu));
            one.set(first.unwrap());
            rustix::thread::sched_setaffinity(None, &one).unwrap();
            let clock = ThreadClock::new();
            clock.start();
            let start = clock.read();
            for _ in 0..100 {
                spin(Duration::from_millis(2));
                clock.read();
            }
            clock.read() - start
        };
        let started = Instant::now();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(pinned)).collect();
        let ticks: u64 = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        let all = ticks as f64 * began.tick_ns() / 1e9;
        // Without waiting, the four of them cannot take more than the time that has passed.
        let passed = started.elapsed().as_secs_f64();
        assert!(all < 1.5 * passed, "{all} s of {passed} s");
    }

    #[test]
    fn time_asleep_counts() {
        begin();
        let began = SyncPoint::now();
        let clock = ThreadClock::new();
        clock.start();
        let start = clock.read();
        thread::sleep(Duration::from_millis(50));
        let slept = (clock.read() - start) as f64 * began.tick_ns() / 1e6;
        assert!(slept > 30.0, "{slept} ms");
    }
}
