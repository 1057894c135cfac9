//! Moments between samples at which the recorder looks at the marks of the peaks.
//!
//! A process that ends takes its mark along. What the last look has found is then all that is known,
//! unless the process is traced or is a child without children. Looks also find new processes.

use std::time::{Duration, Instant};

/// The first pause between looks; each is twice as long as the one before, because a program may be
/// very short.
const FIRST: Duration = Duration::from_micros(250);
/// The longest pause between looks.
const LONGEST: Duration = Duration::from_millis(5);
/// Looks take at most this part of a processor's time, however many processes there are.
const SHARE: u32 = 50;
/// A moment that does not come.
const NEVER: Duration = Duration::from_hours(1_000_000);

/// See the [module](self).
#[derive(Debug)]
pub struct Looks {
    /// The moment of the next look.
    pub next: Instant,
    pause: Duration,
}

impl Looks {
    /// Without looks, if they are not wanted.
    pub fn starting(start: Instant, are_wanted: bool) -> Self {
        Self {
            next: start + if are_wanted { FIRST } else { NEVER },
            pause: FIRST,
        }
    }

    /// Takes the look that is due.
    pub fn take(&mut self, look: impl FnOnce()) {
        let before = processor_time();
        look();
        self.plan(Instant::now(), processor_time().saturating_sub(before));
    }

    fn plan(&mut self, now: Instant, took: Duration) {
        self.pause = (self.pause * 2).min(LONGEST);
        self.next = now + self.pause.max(took * SHARE);
    }
}

/// Time of a processor that this thread has taken. On a busy machine, more time passes than that.
fn processor_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes into a live local. A clock that the system lacks leaves 0 there.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rare_and_never_take_much_of_the_time() {
        let start = Instant::now();
        let mut looks = Looks::starting(start, true);
        let mut pauses = vec![looks.next - start];
        for took in [0, 0, 0, 0, 0, 0, 1000, 0] {
            looks.plan(start, Duration::from_micros(took));
            pauses.push(looks.next - start);
        }
        let pauses: Vec<_> = pauses.iter().map(Duration::as_micros).collect();
        let expected = [250, 500, 1000, 2000, 4000, 5000, 5000, 50_000, 5000];
        assert_eq!(pauses, expected);
    }

    #[test]
    fn looks_that_are_not_wanted_never_come() {
        let start = Instant::now();
        let looks = Looks::starting(start, false);
        assert!(looks.next > start + Duration::from_hours(24 * 365));
    }
}
