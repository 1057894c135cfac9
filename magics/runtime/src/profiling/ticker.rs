//! Deadlines at an interval.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::process::poll;

/// Wakes the calling thread at multiples of an interval. A late wake does not delay the next
/// deadlines; deadlines that have passed meanwhile are left out.
///
/// On Linux, timers of the thread are precise as long as the ticker lives: they are late by a
/// hundredth of the interval at most, instead of half of a short one.
pub struct Ticker {
    interval: Duration,
    next: Instant,
}

impl Ticker {
    /// The first deadline is an interval after `start`.
    pub fn starting(start: Instant, interval: Duration) -> Self {
        set_timer_slack(Some(interval / 100));
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
        self.wait_until(fds, None)
    }

    /// As [`Ticker::wait`], but no longer than until `limit`.
    ///
    /// # Errors
    ///
    /// If the system does not wait.
    pub fn wait_until<const N: usize>(
        &mut self,
        fds: [BorrowedFd<'_>; N],
        limit: Option<Instant>,
    ) -> io::Result<[bool; N]> {
        let until = limit.map_or(self.next, |limit| limit.min(self.next));
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let ready = poll::readable(fds, Some(left))?;
            let now = Instant::now();
            if now >= self.next && !ready.contains(&true) {
                self.advance(now);
                return Ok(ready);
            }
            // Otherwise a signal has ended the wait.
            if now >= until || ready.contains(&true) {
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
        set_timer_slack(None);
    }
}

/// By how much the timers of the calling thread may be late; `None` for the default.
#[cfg(target_os = "linux")]
fn set_timer_slack(slack: Option<Duration>) {
    let nanoseconds = slack.map(|slack| slack.as_nanos().clamp(1, 50_000));
    let nanoseconds = nanoseconds.and_then(|slack| u64::try_from(slack).ok());
    let slack = nanoseconds.and_then(std::num::NonZeroU64::new);
    let _ = rustix::thread::set_current_timer_slack(slack);
}

#[cfg(not(target_os = "linux"))]
fn set_timer_slack(_slack: Option<Duration>) {}

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

    #[test]
    fn a_limit_ends_the_wait_and_leaves_the_deadline() {
        let (reader, _writer) = io::pipe().unwrap();
        let start = Instant::now();
        let mut ticker = Ticker::starting(start, Duration::from_mins(10));
        let limit = start + Duration::from_millis(2);
        assert_eq!(
            ticker.wait_until([reader.as_fd()], Some(limit)).unwrap(),
            [false]
        );
        assert!(Instant::now() >= limit);
        assert_eq!(ticker.next, start + Duration::from_mins(10));
    }
}
