//! Moments at an interval.

use std::time::{Duration, Instant};

/// Moments at multiples of an interval from a start. What is done between two moments delays none of
/// the next; moments that have passed meanwhile are left out.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    /// The first moment is an interval after `start`.
    pub fn starting(start: Instant, interval: Duration) -> Self {
        Self {
            interval,
            next: start + interval,
        }
    }

    /// Time until the next moment; zero if the moment is due.
    pub fn left(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }

    /// Whether the next moment is due. A moment is due once: the moment after `now` is the next.
    pub fn is_due(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        let late = now.duration_since(self.next);
        let missed = late.as_nanos() / self.interval.as_nanos().max(1);
        self.next += self.interval * u32::try_from(missed + 1).unwrap_or(u32::MAX);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_stay_multiples_of_the_interval_from_the_start() {
        let (start, interval) = (Instant::now(), Duration::from_millis(10));
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut pace = Pace::starting(start, interval);
        assert_eq!(pace.left(at(4)), Duration::from_millis(6));
        assert!(!pace.is_due(at(9)));
        assert!(pace.is_due(at(13)));
        assert_eq!(pace.left(at(13)), Duration::from_millis(7));
        // Those at 30, 40 and 50 have passed.
        assert!(pace.is_due(at(57)));
        assert!(!pace.is_due(at(57)));
        assert_eq!(pace.left(at(57)), Duration::from_millis(3));
    }
}
