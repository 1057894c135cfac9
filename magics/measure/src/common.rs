//! The counts of the heap of this process.

#[cfg(heap_hooks)]
use std::sync::atomic::Ordering::Relaxed;

use memit_session::lines::counters::Common;

/// The counts of this process.
pub(crate) static COMMON: Common = Common::new();

/// Ends the process, because the next block would take the live heap to `live` bytes, beyond the
/// limit.
#[cfg(heap_hooks)]
pub(crate) fn pass_limit(live: i64) -> ! {
    COMMON.passed_limit.store(live.unsigned_abs(), Relaxed);
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) }
}
