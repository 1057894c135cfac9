//! Deadlines at an interval.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;

use crate::process::poll;

/// Wakes the calling thread at multiples of an interval. A late wake does not delay the next
/// deadlines; deadlines that have passed meanwhile are left out.
///
/// Timers of the thread are precise as long as the ticker lives: by default they may be late by half
/// of a short interval, now by a hundredth at most.
pub struct Ticker {
    interval: Duration,
    next: Instant,
}

impl Ticker {
    /// The first deadline is an interval after `start`.
    pub fn starting(start: Instant, interval: Duration) -> Self {
        let slack = (interval.as_nanos() / 100).clamp(1, 50_000);
        let slack = u64::try_from(slack).ok().and_then(NonZeroU64::new);
        let _ = set_current_timer_slack(slack);
        Self {
            interval,
            next: start + interval,
        }
    }

    /// Waits for the next deadline, or until one of the descriptors can be read, and says which can.
    /// At the deadline, none can.
    ///
    /// # Errors
    ///
    /// If the system does not wait.
    pub fn wait<const N: usize>(&mut self, fds: [BorrowedFd<'_>; N]) -> io::Result<[bool; N]> {
        loop {
            let left = self.next.saturating_duration_since(Instant::now());
            let ready = poll::readable(fds, Some(left))?;
            if ready.contains(&true) {
                return Ok(ready);
            }
            let now = Instant::now();
            // Otherwise a signal has ended the wait.
            if now >= self.next {
                self.advance(now);
                return Ok(ready);
            }
        }
    }

    fn advance(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.next);
        let missed = late.as_nanos() / self.interval.as_nanos().max(1);
        self.next += self.interval * u32::try_from(missed + 1).unwrap_or(u32::MAX);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        let _ = set_current_timer_slack(None);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn deadlines_stay_multiples_of_the_interval_from_the_start() {
        let interval = Duration::from_millis(10);
        let mut ticker = Ticker::starting(Instant::now(), interval);
        let start = ticker.next;
        ticker.advance(start + Duration::from_millis(3));
        assert_eq!(ticker.next, start + interval);
        ticker.advance(start + Duration::from_millis(47));
        assert_eq!(ticker.next, start + 5 * interval);
    }

    #[test]
    fn a_descriptor_that_can_be_read_ends_the_wait() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut ticker = Ticker::starting(Instant::now(), Duration::from_millis(1));
        assert_eq!(ticker.wait([reader.as_fd()]).unwrap(), [false]);
        io::Write::write_all(&mut writer, b"x").unwrap();
        let mut ticker = Ticker::starting(Instant::now(), Duration::from_mins(10));
        assert_eq!(ticker.wait([reader.as_fd()]).unwrap(), [true]);
    }
}
