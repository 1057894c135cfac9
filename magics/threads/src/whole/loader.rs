//! The locks of the dynamic loader, which note the id of their owner.
//!
//! A thread may be stopped while it loads a library. In the fork the thread has another id, and
//! could not release the locks of the loader. The locks are recursive mutexes in `_rtld_global`,
//! whose layout is glibc's own affair, so they are found by what a held mutex looks like.

use super::awaited::Mutex;
use super::glibc::Memory;

/// Gives the locks of the loader to new threads: `new_id` returns the id of the thread that takes
/// the place of a thread, if there is one.
///
/// # Safety
///
/// No thread may use the loader.
pub(super) unsafe fn hand_over(loader: Memory, new_id: impl Fn(u32) -> Option<u32>) {
    let last = loader.bytes.saturating_sub(size_of::<Mutex>());
    for offset in (0..last).step_by(align_of::<usize>()) {
        let mutex = std::ptr::with_exposed_provenance_mut::<Mutex>(loader.start + offset);
        // SAFETY: this is within the variable, and by the caller's contract, nobody changes the
        // variable now.
        let mutex = unsafe { &mut *mutex };
        if mutex.has_owner()
            && let Some(new) = new_id(mutex.owner)
        {
            mutex.owner = new;
        }
    }
}
