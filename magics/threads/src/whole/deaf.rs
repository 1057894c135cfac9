//! A thread that has blocked the signal for as long as a stop may take.
//!
//! Such a thread is likely to block the signal the next time, too. The next stop therefore looks at
//! this thread first, and stops nobody as long as the thread blocks the signal.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::{Error, Silence};

use super::proc::{read_about, started};
use super::silence;

/// The thread: its id and when it has started, since another thread may get the id. Only the one
/// whose turn it is to stop threads uses these.
static ID: AtomicU32 = AtomicU32::new(0);
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Remembers the thread of an error, if the thread blocks the signal.
pub(super) fn remember(error: &Error) {
    if let Error::NoAnswer {
        thread,
        why: Silence::Blocks(_),
    } = error
        && let Some(started) = start_of(thread.id)
    {
        ID.store(thread.id, Relaxed);
        STARTED.store(started, Relaxed);
    }
}

/// The error of before, if the thread of that error still blocks the signal. Otherwise, the thread
/// is forgotten.
pub(super) fn still_blocks(signal: i32) -> Option<Error> {
    let id = ID.load(Relaxed);
    if id == 0 {
        return None;
    }
    let is_the_same = start_of(id) == Some(STARTED.load(Relaxed));
    let why = silence::reason(id, signal);
    if is_the_same && why == Silence::Blocks(signal) {
        return Some(silence::error(id, why));
    }
    ID.store(0, Relaxed);
    None
}

fn start_of(id: u32) -> Option<u64> {
    started(read_about(id, "stat", &mut [0; 512])?)
}

#[cfg(test)]
mod tests {
    use super::super::signal;
    use super::super::system::thread_id;
    use super::*;

    /// Blocks the signal for this thread, or no longer does.
    fn mask(how: libc::c_int, signal: libc::c_int) {
        // SAFETY: all zeros is a valid set, and all pointers are to it.
        unsafe {
            let mut one = std::mem::zeroed();
            libc::sigaddset(&raw mut one, signal);
            let refused = libc::pthread_sigmask(how, &raw const one, std::ptr::null_mut());
            assert_eq!(refused, 0);
        }
    }

    #[test]
    fn a_thread_is_remembered_as_long_as_it_blocks_the_signal() {
        let signal = signal::install().unwrap();
        let error = || silence::error(thread_id(), Silence::Blocks(signal));
        mask(libc::SIG_BLOCK, signal);
        // The signal is of no stop, so the handler does nothing.
        assert!(signal::send(signal, thread_id(), 0).unwrap());
        assert_eq!(still_blocks(signal), None);
        remember(&error());
        assert_eq!(still_blocks(signal), Some(error()));
        // Another thread has got the id.
        STARTED.fetch_add(1, Relaxed);
        assert_eq!(still_blocks(signal), None);

        remember(&error());
        mask(libc::SIG_UNBLOCK, signal);
        assert_eq!(still_blocks(signal), None);
        mask(libc::SIG_BLOCK, signal);
        assert!(signal::send(signal, thread_id(), 0).unwrap());
        assert_eq!(still_blocks(signal), None, "the thread has been forgotten");
        mask(libc::SIG_UNBLOCK, signal);

        remember(&error());
        mask(libc::SIG_BLOCK, signal);
        assert_eq!(still_blocks(signal), None, "no signal is held back");
        mask(libc::SIG_UNBLOCK, signal);

        remember(&silence::error(thread_id(), Silence::Uninterruptible));
        assert_eq!(ID.load(Relaxed), 0);
    }
}
