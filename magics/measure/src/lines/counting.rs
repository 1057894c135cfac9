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

/// Who has asked for it.
pub(super) enum Counting {
    /// Nobody.
    Off,
    /// A measurement; in a fork, the counters are to be shared.
    Measurement(Option<Arc<Arena>>),
    /// A function with `#[profile]`, in a cell that is no measurement, or in a program.
    Attribute,
}

static COUNTING: Mutex<Counting> = Mutex::new(Counting::Off);

fn lock() -> MutexGuard<'static, Counting> {
    COUNTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, functions count for this.
pub(super) fn set(counting: Counting) {
    *lock() = counting;
}

/// Whether the heap is counted for a measurement that lines must not disturb. Such a measurement is
/// compiled without probes, but it may be given a pointer to a function of an earlier cell.
fn is_another_measurement(counting: &Counting) -> bool {
    matches!(counting, Counting::Off) && heap::is_counting()
}

/// A function runs, maybe for the first time. One caller at a time.
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
    // A thread that was there before would not be noticed.
    let threads = process::threads(std::process::id()).unwrap_or(2);
    level::reset();
    level::choose(Backend::Heap, false);
    heap::start(threads > 1);
    own_line::begin();
    account::begin_epoch();
}

/// What the functions with `#[profile]` have counted in a cell that is no measurement; `None` if
/// none was called.
pub fn end_cell(threads: impl FnOnce() -> u32) -> Option<LinesMeasurement> {
    let counted = end_for_attribute(threads);
    if counted.is_some() {
        known::forget();
    }
    counted
}

/// The same at the end of a program, some of whose functions may still be running.
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
        // The functions are where they belong.
        isolated: true,
        threads: threads(),
        threaded: threads::are_many(),
        failure: None,
    })
}
