//! The profiled functions that have run.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use memit_session::lines::counters::{Head, Table};

/// Further functions are not shown.
pub(super) const ROOM: usize = 1000;

static TABLES: [AtomicPtr<Head>; ROOM] = [const { AtomicPtr::new(std::ptr::null_mut()) }; ROOM];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// All known functions, in the order of their first runs.
pub(super) fn all() -> impl Iterator<Item = Table<'static>> {
    let count = COUNT.load(Acquire).min(ROOM);
    // SAFETY: `add` stored the addresses of the first `count` functions: statics, which only
    // atomics change, in libraries that are never unloaded.
    let table = |slot: &AtomicPtr<Head>| unsafe { Table::at(slot.load(Relaxed)) };
    TABLES[..count].iter().map(table)
}

/// Forgets all functions, so that the next measurement starts from zero.
pub(crate) fn forget() {
    for table in all() {
        table.clear();
    }
    COUNT.store(0, Release);
}

/// Adds a function; false if the function was known already, or if there is no room. Only one
/// thread may call this at a time.
pub(super) fn add(function: Table<'static>) -> bool {
    let head = function.head();
    if head.known.swap(1, Relaxed) != 0 {
        return false;
    }
    // The function may have counted during another measurement.
    function.clear();
    head.known.store(1, Relaxed);
    let count = COUNT.load(Relaxed);
    let Some(slot) = TABLES.get(count) else {
        return false;
    };
    slot.store(function.address().cast_mut(), Relaxed);
    COUNT.store(count + 1, Release);
    true
}
