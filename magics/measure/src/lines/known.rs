//! The profiled functions that have run.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use memit_session::lines::counters::{Head, Table};

/// More than these are not shown.
pub(super) const ROOM: usize = 1000;

static TABLES: [AtomicPtr<Head>; ROOM] = [const { AtomicPtr::new(std::ptr::null_mut()) }; ROOM];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// All of them, in the order in which they ran first.
pub(super) fn all() -> impl Iterator<Item = Table<'static>> {
    let count = COUNT.load(Acquire).min(ROOM);
    // SAFETY: `add` has stored addresses of functions, which are statics of libraries that are
    // never unloaded.
    let table = |slot: &AtomicPtr<Head>| unsafe { Table::at(slot.load(Relaxed)) };
    TABLES[..count].iter().map(table)
}

/// Forgets them: what runs from now on belongs to another measurement.
pub(crate) fn forget() {
    for table in all() {
        table.clear();
    }
    COUNT.store(0, Release);
}

/// Adds a function, at most once; false if it is among the others already. One caller at a time.
pub(super) fn add(function: Table<'static>) -> bool {
    let head = function.head();
    if head.known.swap(1, Relaxed) != 0 {
        return false;
    }
    // Of what it did during another measurement.
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
