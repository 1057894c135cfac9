//! Locks that note the id of their owner, held by a thread that has been made anew.
//!
//! Such a thread has another id than before, and glibc would not let the thread release the lock,
//! or take a recursive mutex once more. A program can have hooks in front of glibc's functions,
//! which hand the lock over from the thread that the calling thread was to the thread that it is.

use std::cell::Cell;
use std::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Relaxed, Release},
};

use super::system::thread_id;

/// Whether this process has threads that have been made anew.
static ANEW: AtomicBool = AtomicBool::new(false);

/// A thread that keeps a lock over more forks than this cannot release the lock.
const REMEMBERED: usize = 32;

thread_local! {
    /// Ids that the calling thread has had, and their number. The thread has the variable from
    /// birth, since it needs neither an initialiser nor a destructor.
    static FORMER: Cell<([u32; REMEMBERED], usize)> = const { Cell::new(([0; REMEMBERED], 0)) };
}

/// Notes that the calling thread has had the id `old`.
pub(super) fn remember(old: u32) {
    let (mut ids, count) = FORMER.get();
    ids[count % REMEMBERED] = old;
    FORMER.set((ids, count + 1));
    ANEW.store(true, Release);
}

/// Makes the calling thread the owner of a mutex that a thread holds which the calling thread was
/// before a fork. For hooks in front of `pthread_mutex_lock`, `pthread_mutex_trylock`,
/// `pthread_mutex_timedlock`, `pthread_mutex_clocklock`, `pthread_mutex_unlock` and the waits for a
/// condition. Does nothing but read a variable in a process that is no such fork.
///
/// # Safety
///
/// The pointer must be one that these functions accept.
#[inline]
pub unsafe fn take_over_mutex(mutex: *mut libc::pthread_mutex_t) {
    if ANEW.load(Relaxed) {
        // SAFETY: the caller's contract.
        unsafe { mutex::take_over(mutex) };
    }
}

/// As [`take_over_mutex`], for a lock that is held for writing and a hook in front of
/// `pthread_rwlock_unlock`.
///
/// # Safety
///
/// The pointer must be one that this function accepts.
#[inline]
pub unsafe fn take_over_rwlock(lock: *mut libc::pthread_rwlock_t) {
    /// The word with the writer's id, the same since glibc 2.25.
    const WRITER: usize = 6;
    if ANEW.load(Relaxed) {
        // SAFETY: the caller's contract. All words of glibc's locks may be changed at any time.
        let writer = unsafe { &*lock.cast::<AtomicU32>().add(WRITER) };
        hand_over(writer, u32::MAX);
    }
}

/// Replaces an id that the calling thread has had, in the bits of the mask.
fn hand_over(word: &AtomicU32, mask: u32) {
    let owner = word.load(Relaxed) & mask;
    let (ids, count) = FORMER.get();
    if owner != 0 && ids[..count.min(REMEMBERED)].contains(&owner) {
        // The waiters for a lock may add a bit meanwhile.
        let replaced = |value: u32| (value & mask == owner).then(|| value & !mask | thread_id());
        let _ = word.fetch_update(Relaxed, Relaxed, replaced);
    }
}

mod mutex {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::hand_over;

    // Words of glibc's mutex, the same since glibc 2.4.
    const LOCK: usize = 0;
    const OWNER: usize = 2;
    const KIND: usize = 4;

    /// Recursive or error-checking.
    const CHECKS_OWNER: u32 = 3;
    /// The word of the lock contains the owner's id, too.
    const INHERITS_PRIORITY: u32 = 32;

    #[cold]
    pub(super) unsafe fn take_over(mutex: *mut libc::pthread_mutex_t) {
        let word = |index: usize| -> &AtomicU32 {
            // SAFETY: by the caller's contract, this is a mutex of glibc. All of its words may be
            // changed at any time.
            unsafe { &*mutex.cast::<AtomicU32>().add(index) }
        };
        let kind = word(KIND).load(Relaxed);
        if kind & INHERITS_PRIORITY != 0 {
            hand_over(word(LOCK), libc::FUTEX_TID_MASK);
        }
        if kind & (CHECKS_OWNER | INHERITS_PRIORITY) != 0 {
            hand_over(word(OWNER), u32::MAX);
        }
    }
}
