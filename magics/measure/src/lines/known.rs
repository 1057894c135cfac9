//! The profiled functions that have run.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use memit_session::lines::counters::{Head, Table};

/// Further functions are not shown.
pub(super) const ROOM: usize = 1000;

static TABLES: [AtomicPtr<Head>; ROOM] = [const { AtomicPtr::new(std::ptr::null_mut()) }; ROOM];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The statics of all known functions, in the order of their first runs.
fn all() -> impl Iterator<Item = Table<'static>> {
    let count = COUNT.load(Acquire).min(ROOM);
    // SAFETY: `add` stored the addresses of the first `count` functions: statics, which only
    // atomics change, in libraries that are never unloaded.
    let table = |slot: &AtomicPtr<Head>| unsafe { Table::at(slot.load(Relaxed)) };
    TABLES[..count].iter().map(table)
}

/// Forgets all functions, so that the next measurement starts from zero.
pub(super) fn forget() {
    expect_threads();
    for table in all() {
        table.head().known.store(0, Relaxed);
    }
    COUNT.store(0, Release);
}

/// Makes each body ask for the counters of its thread.
pub(super) fn expect_threads() {
    for table in all() {
        table.head().only.store(std::ptr::null_mut(), Relaxed);
    }
}

/// The number of a function; `None` if the function is not known.
#[inline]
pub(super) fn number(function: Table<'_>) -> Option<usize> {
    let known = function.head().known.load(Relaxed);
    usize::try_from(known).ok()?.checked_sub(1)
}

/// Adds a function that is not known. Returns its number; `None` if there is no room. Only one
/// thread may call this at a time.
pub(super) fn add(function: Table<'static>) -> Option<usize> {
    let count = COUNT.load(Relaxed);
    let slot = TABLES.get(count)?;
    slot.store(function.address().cast_mut(), Relaxed);
    let known = u32::try_from(count + 1).ok()?;
    function.head().known.store(known, Relaxed);
    COUNT.store(count + 1, Release);
    Some(count)
}
