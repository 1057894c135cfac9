//! Deadlines at an interval.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::{Duration, Instant};

/// Wakes the calling thread at multiples of an interval. What a wait is late by is not added up,
/// and deadlines that have passed meanwhile are left out.
pub struct Ticker {
    interval: Duration,
    next: Instant,
}

impl Ticker {
    /// The first deadline is an interval after `start`. The thread's timers are made so precise that
    /// they are late by a hundredth of the interval at most; by default it may be half of a short one.
    pub fn starting(start: Instant, interval: Duration) -> Self {
        let slack = (interval.as_nanos() / 100).clamp(1, 50_000);
        // SAFETY: a number for the calling thread alone.
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, slack as libc::c_ulong, 0, 0, 0) };
        Self {
            interval,
            next: start + interval,
        }
    }

    /// Waits for the next deadline, or until one of the descriptors can be read, and says which can.
    /// With none of them, it is the deadline.
    ///
    /// # Errors
    ///
    /// If the system does not wait.
    pub fn wait<const N: usize>(&mut self, fds: [BorrowedFd<'_>; N]) -> io::Result<[bool; N]> {
        let mut polled = fds.map(|fd| libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        });
        loop {
            let left = self.next.saturating_duration_since(Instant::now());
            let timeout = libc::timespec {
                tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            // SAFETY: the array and the time are live, and the length is the array's.
            let ready = unsafe {
                let count = N as libc::nfds_t;
                libc::ppoll(
                    polled.as_mut_ptr(),
                    count,
                    &raw const timeout,
                    std::ptr::null(),
                )
            };
            match ready {
                0 => self.advance(Instant::now()),
                1.. => {}
                _ => {
                    let error = io::Error::last_os_error();
                    if error.kind() == io::ErrorKind::Interrupted {
                        continue;
                    }
                    return Err(error);
                }
            }
            return Ok(polled.map(|polled| polled.revents != 0));
        }
    }

    fn advance(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.next);
        let missed = late.as_nanos() / self.interval.as_nanos().max(1);
        self.next += self.interval * u32::try_from(missed + 1).unwrap_or(u32::MAX);
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
