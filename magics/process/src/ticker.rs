//! Deadlines at an interval.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;

use crate::pace::Pace;
use crate::process::poll;

/// Wakes the calling thread at the moments of a [`Pace`].
///
/// Timers of the thread are precise as long as the ticker lives: by default they may be late by half
/// of a short interval, now by a hundredth at most.
pub struct Ticker {
    pace: Pace,
}

impl Ticker {
    /// The first deadline is an interval after `start`.
    pub fn starting(start: Instant, interval: Duration) -> Self {
        let slack = (interval.as_nanos() / 100).clamp(1, 50_000);
        let slack = u64::try_from(slack).ok().and_then(NonZeroU64::new);
        let _ = set_current_timer_slack(slack);
        Self {
            pace: Pace::starting(start, interval),
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
            let left = self.pace.left(Instant::now());
            let ready = poll::readable(fds, Some(left))?;
            // Otherwise a signal has ended the wait.
            if ready.contains(&true) || self.pace.is_due(Instant::now()) {
                return Ok(ready);
            }
        }
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
    fn a_descriptor_that_can_be_read_ends_the_wait() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut ticker = Ticker::starting(Instant::now(), Duration::from_millis(1));
        assert_eq!(ticker.wait([reader.as_fd()]).unwrap(), [false]);
        io::Write::write_all(&mut writer, b"x").unwrap();
        let mut ticker = Ticker::starting(Instant::now(), Duration::from_mins(10));
        assert_eq!(ticker.wait([reader.as_fd()]).unwrap(), [true]);
    }
}
