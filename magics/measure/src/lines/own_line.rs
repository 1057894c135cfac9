//! Which line of a function the calling thread is on.
//!
//! One thread alone has it in the function's head, where probes store it. As soon as there are
//! more, every probe comes to the runtime, and each thread keeps its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use memit_session::lines::counters::Table;

use crate::threads;

/// Functions that a thread can be in; in more than these it is where the last thread was.
const ROOM: usize = 32;

thread_local! {
    /// Addresses of functions and lines. Needs no destructor, and no memory but its own.
    static OWN: [Cell<(usize, u32)>; ROOM] = const { [const { Cell::new((0, 0)) }; ROOM] };
}

/// The thread that was there first: its lines are still in the heads.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// The calling thread is the first one of a measurement.
pub(super) fn begin() {
    FIRST.store(threads::current(), Relaxed);
}

/// Index of the line, plus 1; 0 outside the function.
pub(super) fn get(function: Table<'_>) -> u32 {
    let in_head = function.head().line.load(Relaxed);
    if !threads::are_many() {
        return in_head;
    }
    let address = function.address().addr();
    OWN.with(|own| {
        let known = own.iter().map(Cell::get).find(|(of, _)| *of == address);
        match known {
            Some((_, line)) => line,
            None if threads::current() == FIRST.load(Relaxed) => in_head,
            None => 0,
        }
    })
}

/// Sets what [`get`] tells, and what a sampler sees.
pub(super) fn set(function: Table<'_>, line: u32) {
    function.head().line.store(line, Relaxed);
    if !threads::are_many() {
        return;
    }
    let address = function.address().addr();
    OWN.with(|own| {
        let known = own.iter().find(|slot| slot.get().0 == address);
        let free = || own.iter().find(|slot| slot.get().0 == 0);
        if let Some(slot) = known.or_else(free) {
            slot.set((address, line));
        }
    });
}
