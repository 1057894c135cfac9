//! What the heap hooks and the probes of all profiled functions share: counts of the heap, and the
//! epoch.
//!
//! A probe calls the runtime only if the epoch has changed since its line ran last. The heap hooks
//! change the epoch with every allocation.

use std::sync::atomic::Ordering::Relaxed;

use memit_session::lines::counters::Common;

/// The one of this process.
#[unsafe(export_name = "memit_common")]
pub(crate) static COMMON: Common = Common::new();

/// Part of an epoch in which every probe calls the runtime: no line has ever seen such an epoch.
const ALWAYS: u64 = 1 << 63;

/// From now on every probe calls the runtime.
pub(crate) fn see_every_probe() {
    COMMON.epoch.fetch_or(ALWAYS, Relaxed);
}

/// Every line that is passed next calls the runtime; from then on only those lines do that have
/// something to settle.
pub(crate) fn begin_epoch() {
    COMMON.epoch.fetch_and(!ALWAYS, Relaxed);
    COMMON.epoch.fetch_add(1, Relaxed);
}

/// The epoch as lines may remember it: 0, which is no epoch, while every probe calls the runtime.
pub(crate) fn rememberable_epoch() -> u64 {
    let epoch = COMMON.epoch.load(Relaxed);
    if epoch & ALWAYS == 0 { epoch } else { 0 }
}

/// Ends the process: its next block would take the live heap to `live` bytes, beyond the limit.
#[cfg(heap_hooks)]
pub(crate) fn pass_limit(live: i64) -> ! {
    COMMON.passed_limit.store(live.unsigned_abs(), Relaxed);
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) }
}
