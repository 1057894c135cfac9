//! One stop at a time.

use std::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Release},
};
use std::time::Instant;

use crate::Error;

use super::system::{wait_while, wake_all};

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// The right to stop threads. A fork has a copy of the right, which ends there with the copy of
/// this value.
#[derive(Debug)]
pub(super) struct Turn(());

impl Turn {
    /// Waits for the right.
    ///
    /// # Errors
    ///
    /// If another thread keeps the right until the deadline.
    pub(super) fn take(deadline: Instant) -> Result<Self, Error> {
        loop {
            if TAKEN.compare_exchange(0, 1, Acquire, Acquire).is_ok() {
                return Ok(Self(()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Busy);
            }
            wait_while(&TAKEN, 1, Some(left));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TAKEN.store(0, Release);
        wake_all(&TAKEN);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_second_turn_waits_for_the_first() {
        let soon = || Instant::now() + Duration::from_millis(1);
        let first = Turn::take(soon()).unwrap();
        assert_eq!(Turn::take(soon()).unwrap_err(), Error::Busy);
        let late = Instant::now() + Duration::from_mins(1);
        let second = std::thread::spawn(move || Turn::take(late).map(drop));
        drop(first);
        second.join().unwrap().unwrap();
    }
}
