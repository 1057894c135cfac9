//! Whether functions are counted, and for whom.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memit_lines::Kind;
use memit_measurement::LinesMeasurement;
use memit_process::process;
use memit_session::abi::Backend;
use memit_session::lines::counters::Table;

use super::arena::Arena;
use super::figures::{Time, figures};
use super::{account, known, level, own_line};
use crate::common::{COMMON, see_every_probe};
use crate::{heap, threads};

/// The purpose for which functions are counted.
pub(super) enum Counting {
    /// Functions are not counted.
    Off,
    /// A measurement. The run shares its counters through the arena if it is a fork.
    Measurement(Option<Arc<Arena>>),
    /// The attribute `#[profile]`, in a cell without a measurement or in an ordinary program.
    Attribute,
}

static COUNTING: Mutex<Counting> = Mutex::new(Counting::Off);

fn lock() -> MutexGuard<'static, Counting> {
    COUNTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts functions for this purpose from now on.
pub(super) fn set(counting: Counting) {
    *lock() = counting;
}

/// Whether the heap is counted for a measurement that lines must not disturb. Such a measurement is
/// compiled without probes, but may call a function of an earlier cell through a pointer.
fn is_another_measurement(counting: &Counting) -> bool {
    matches!(counting, Counting::Off) && heap::is_counting()
}

/// Makes a function known when it runs for the first time. Only one thread may call this at a time.
pub(super) fn ensure_known(function: Table<'static>) {
    if function.head().known.load(Relaxed) != 0 {
        return;
    }
    let mut counting = lock();
    if is_another_measurement(&counting) || !known::add(function) {
        return;
    }
    match &*counting {
        Counting::Measurement(Some(arena)) => arena.share(function),
        Counting::Measurement(None) | Counting::Attribute => {}
        Counting::Off => {
            begin_for_attribute();
            *counting = Counting::Attribute;
        }
    }
    if matches!(*counting, Counting::Attribute) && level::backend(function.head()) != Backend::Heap
    {
        see_every_probe();
    }
}

fn begin_for_attribute() {
    // The hook has not noticed threads that started earlier.
    let threads = process::threads(std::process::id()).unwrap_or(2);
    level::reset();
    level::choose(Backend::Heap, false);
    heap::start(threads > 1);
    own_line::begin();
    account::begin_epoch();
}

/// Ends the counting for `#[profile]` after a cell without a measurement; `None` if no such
/// function was called.
pub fn end_cell(threads: impl FnOnce() -> u32) -> Option<LinesMeasurement> {
    let counted = end_for_attribute(threads);
    if counted.is_some() {
        known::forget();
    }
    counted
}

/// Like [`end_cell`], at the end of a program. Some functions may still be running.
pub(crate) fn end_program() -> Option<LinesMeasurement> {
    if matches!(*lock(), Counting::Attribute) {
        heap::stop();
        let counts_heap = |table: &Table<'_>| level::backend(table.head()) == Backend::Heap;
        known::all()
            .filter(counts_heap)
            .for_each(|table| account::settle_late(table, &COMMON));
    }
    end_for_attribute(|| process::threads(std::process::id()).unwrap_or(1))
}

fn end_for_attribute(threads: impl FnOnce() -> u32) -> Option<LinesMeasurement> {
    let mut counting = lock();
    if !matches!(*counting, Counting::Attribute) {
        return None;
    }
    *counting = Counting::Off;
    heap::stop();
    Some(LinesMeasurement {
        functions: figures(known::all(), Time::None),
        kind: Kind::Memory {
            backend: Backend::Heap,
            children: false,
            baseline: 0,
        },
        wall_ns: 0,
        // In place is where these functions should run: the report needs no note about it.
        isolated: true,
        threads: threads(),
        threaded: threads::are_many(),
        outlasting: 0,
        failure: None,
    })
}
