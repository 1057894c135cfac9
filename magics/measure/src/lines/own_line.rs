//! The line of a function that the calling thread is on.
//!
//! The head of the function holds the line of a single thread, because probes store the line there.
//! As soon as there are more threads, every probe calls the runtime, and each thread keeps lines of
//! its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use memit_session::lines::counters::Table;

use crate::threads;

/// Functions whose lines a thread can keep. In further functions, the first thread is on the line
/// that any thread was on last, and other threads are on none.
const ROOM: usize = 32;

thread_local! {
    /// Addresses of functions, each with a line. Needs neither a destructor nor the heap.
    static OWN: [Cell<(usize, u32)>; ROOM] = const { [const { Cell::new((0, 0)) }; ROOM] };
}

/// The first thread, whose lines are still in the heads.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// Makes the calling thread the first thread of a measurement.
pub(super) fn begin() {
    FIRST.store(threads::current(), Relaxed);
}

/// Index of the line plus 1; 0 outside the function.
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

/// Sets the line that [`get`] returns and a sampler sees.
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
