//! Whether functions are counted, and for whom.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use memit_lines::Kind;
use memit_measurement::LinesMeasurement;
use memit_process::process;
use memit_session::abi::Backend;
use memit_session::lines::counters::Table;

use super::arena::Arena;
use super::figures::figures;
use super::record::{self, Record};
use super::{account, known, level};
use crate::common::COMMON;
use crate::{heap, threads};

/// The purpose for which functions are counted.
pub(super) enum Counting {
    /// Functions are not counted.
    Off,
    /// A measurement, with the memory for its counters.
    Measurement(&'static Arena),
    /// The attribute `#[profile]`, in a cell without a measurement or in an ordinary program.
    Attribute(&'static Arena),
}

static COUNTING: Mutex<Counting> = Mutex::new(Counting::Off);
/// Whether a second thread has run a profiled function in the measurement in progress.
static SHARED: AtomicBool = AtomicBool::new(false);

fn lock() -> MutexGuard<'static, Counting> {
    COUNTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts functions in this memory from now on. The calling thread is the first.
pub(super) fn begin(arena: &'static Arena) {
    let mut counting = lock();
    restart(arena);
    *counting = Counting::Measurement(arena);
    arena.touch();
    // The first call of a profiled function should not pay for the record.
    own_record(arena);
}

fn restart(arena: &'static Arena) {
    known::forget();
    arena.begin();
    SHARED.store(false, Relaxed);
}

/// Stops counting. Bodies that still run go on in counters that nobody reads.
pub(super) fn stop() {
    let mut counting = lock();
    known::forget();
    *counting = Counting::Off;
}

/// Whether more than one thread has run a profiled function.
pub(super) fn is_shared() -> bool {
    SHARED.load(Relaxed)
}

/// The memory of this process alone. The memory lives as long as the process, because a thread may
/// run a profiled function for longer than a measurement takes.
pub(super) fn private_arena() -> io::Result<&'static Arena> {
    static ARENA: OnceLock<Arena> = OnceLock::new();
    if let Some(arena) = ARENA.get() {
        return Ok(arena);
    }
    let arena = Arena::private()?;
    Ok(ARENA.get_or_init(|| arena))
}

/// Whether the heap is counted for a measurement that lines must not disturb. Such a measurement is
/// compiled without probes, but may call a function of an earlier cell through a pointer.
fn is_another_measurement(counting: &Counting) -> bool {
    matches!(counting, Counting::Off) && heap::is_counting()
}

/// The counters in which the calling thread counts for a function.
#[inline]
pub(super) fn own_counters(function: Table<'static>) -> Table<'static> {
    let known = known::number(function);
    known
        .and_then(|number| record::own()?.table(number))
        .unwrap_or_else(|| counters(function))
}

/// Makes counters for the calling thread. If there is no memory for them, or nobody counts, the
/// static of the function itself takes what nobody reads.
#[cold]
fn counters(function: Table<'static>) -> Table<'static> {
    static NOBODY: Record = Record::unused();
    new_counters(function).unwrap_or_else(|| {
        function.head().set_thread(NOBODY.thread());
        function
    })
}

fn new_counters(function: Table<'static>) -> Option<Table<'static>> {
    let mut counting = lock();
    if is_another_measurement(&counting) {
        return None;
    }
    let arena = match *counting {
        Counting::Measurement(arena) | Counting::Attribute(arena) => arena,
        Counting::Off => {
            let arena = begin_for_attribute()?;
            *counting = Counting::Attribute(arena);
            arena
        }
    };
    let record = own_record(arena)?;
    let number = known::number(function).or_else(|| known::add(function))?;
    // A record of a thread that has ended brings its counters along.
    let own = if let Some(own) = record.table(number) {
        own
    } else {
        let own = arena.table(function, record)?;
        record.set_table(number, own);
        own
    };
    if !threads::are_many() {
        function
            .head()
            .only
            .store(own.address().cast_mut(), Relaxed);
    }
    if level::backend(own.head()) != Backend::Heap {
        account::see_every_probe(record.thread());
    }
    Some(own)
}

/// The record of the calling thread. Only one thread may call this at a time.
fn own_record(arena: &'static Arena) -> Option<&'static Record> {
    if let Some(record) = record::own() {
        return Some(record);
    }
    if arena.records().next().is_some() {
        SHARED.store(true, Relaxed);
    }
    let record = arena.record()?;
    // The live heap of a process with one thread is that of the thread.
    let live = if threads::are_many() {
        0
    } else {
        COMMON.live.load(Relaxed)
    };
    record.take(live, account::first_epoch());
    if account::reads_clock() {
        record.clock().start();
    }
    Some(record)
}

/// Makes each body ask for the counters of its thread, because there will be another thread.
pub(crate) fn expect_threads() {
    known::expect_threads();
}

/// Notes which lines of the calling thread are running at a panic.
pub(crate) fn note_panic() {
    if let Some(record) = record::own() {
        account::note_panic(record);
    }
}

fn begin_for_attribute() -> Option<&'static Arena> {
    let arena = private_arena().ok()?;
    // The hook has not noticed threads that started earlier.
    let threads = process::threads(std::process::id()).unwrap_or(2);
    level::reset();
    level::choose(Backend::Heap, false);
    account::charge(false, false);
    restart(arena);
    heap::start(threads > 1);
    Some(arena)
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
    if let Counting::Attribute(arena) = *lock() {
        heap::stop();
        let tables = arena.records().flat_map(Record::tables);
        tables
            .filter(|table| level::backend(table.head()) == Backend::Heap)
            .for_each(account::settle_late);
    }
    end_for_attribute(|| process::threads(std::process::id()).unwrap_or(1))
}

fn end_for_attribute(threads: impl FnOnce() -> u32) -> Option<LinesMeasurement> {
    let mut counting = lock();
    let Counting::Attribute(arena) = *counting else {
        return None;
    };
    *counting = Counting::Off;
    heap::stop();
    Some(LinesMeasurement {
        functions: figures(arena, false)
            .into_iter()
            .map(|counted| counted.function)
            .collect(),
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
        timing: None,
    })
}
