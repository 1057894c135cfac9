//! The counts of the heap and the epoch, which the heap hooks share with the probes of all profiled
//! functions.
//!
//! A probe calls the runtime only if the epoch has changed since its line ran last. The heap hooks
//! change the epoch with every allocation.

use std::sync::atomic::Ordering::Relaxed;

use memit_session::lines::counters::Common;

/// The counts of this process.
#[unsafe(export_name = "memit_common")]
pub(crate) static COMMON: Common = Common::new();

/// The bit of an epoch that makes every probe call the runtime: no line remembers such an epoch.
const ALWAYS: u64 = 1 << 63;

/// Makes every probe call the runtime from now on.
pub(crate) fn see_every_probe() {
    COMMON.epoch.fetch_or(ALWAYS, Relaxed);
}

/// Makes every line call the runtime when it is next passed. After that, a line calls the runtime
/// only if there is something to settle.
pub(crate) fn begin_epoch() {
    COMMON.epoch.fetch_and(!ALWAYS, Relaxed);
    COMMON.epoch.fetch_add(1, Relaxed);
}

/// The epoch that a line may remember; 0, which is never an epoch, while every probe calls the
/// runtime.
#[inline]
pub(crate) fn rememberable_epoch() -> u64 {
    let epoch = COMMON.epoch.load(Relaxed);
    if epoch & ALWAYS == 0 { epoch } else { 0 }
}

/// Ends the process, because the next block would take the live heap to `live` bytes, beyond the
/// limit.
#[cfg(heap_hooks)]
pub(crate) fn pass_limit(live: i64) -> ! {
    COMMON.passed_limit.store(live.unsigned_abs(), Relaxed);
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) }
}
