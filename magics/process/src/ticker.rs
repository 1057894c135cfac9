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

/// Why a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken<const N: usize> {
    /// Those descriptors can be read that are true.
    Ready([bool; N]),
    /// The deadline is due.
    Deadline,
    /// The other moment has come first.
    Moment,
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

    /// Waits for the next deadline, for another moment, or until one of the descriptors can be read.
    ///
    /// # Errors
    ///
    /// If the system does not wait.
    pub fn wait<const N: usize>(
        &mut self,
        fds: [BorrowedFd<'_>; N],
        moment: Instant,
    ) -> io::Result<Woken<N>> {
        loop {
            let now = Instant::now();
            let left = self
                .pace
                .left(now)
                .min(moment.saturating_duration_since(now));
            let ready = poll::readable(fds, Some(left))?;
            if ready.contains(&true) {
                return Ok(Woken::Ready(ready));
            }
            let now = Instant::now();
            if self.pace.is_due(now) {
                return Ok(Woken::Deadline);
            }
            if now >= moment {
                return Ok(Woken::Moment);
            }
            // A signal has ended the wait.
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
    fn a_wait_ends_at_what_comes_first() {
        let (reader, mut writer) = io::pipe().unwrap();
        let now = Instant::now();
        let [soon, late] = [Duration::from_millis(1), Duration::from_mins(10)];
        let wait = |interval, moment| {
            let mut ticker = Ticker::starting(now, interval);
            ticker.wait([reader.as_fd()], now + moment).unwrap()
        };
        assert_eq!(wait(soon, late), Woken::Deadline);
        assert_eq!(wait(late, soon), Woken::Moment);
        io::Write::write_all(&mut writer, b"x").unwrap();
        assert_eq!(wait(late, late), Woken::Ready([true]));
    }
}
