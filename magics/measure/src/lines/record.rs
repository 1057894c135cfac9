//! The counts and the counters of each thread.
//!
//! Only the thread itself changes its counts and counters, so threads never wait for each other. A
//! thread that runs its first profiled function gets a record: a new one, or that of a thread that
//! has ended. The record keeps the figures of both, because only sums are shown.

use std::cell::Cell;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use memit_session::lines::counters::{Head, Table, Thread};

use super::known::ROOM;
use super::thread_clock::ThreadClock;

/// A thread.
#[repr(C)]
pub(super) struct Record {
    thread: Thread,
    clock: ThreadClock,
    /// The number of the thread.
    of: AtomicU64,
    /// The measurement that the figures belong to.
    generation: AtomicU64,
    /// Number of the first `tables` that may be in use.
    count: AtomicUsize,
    /// The counters of each function, by the number of the function; null until the thread calls
    /// the function.
    tables: [AtomicPtr<Head>; ROOM],
}

thread_local! {
    /// The record of this thread, and the measurement that it belongs to. Needs neither a
    /// destructor nor the heap.
    static OWN: Cell<(u64, *const Record)> = const { Cell::new((0, std::ptr::null())) };
}

/// The measurement in progress. Records of others are stale.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// Makes all records stale. Returns the number of the measurement that begins.
pub(super) fn begin_generation() -> u64 {
    GENERATION.fetch_add(1, Relaxed) + 1
}

/// The counts of this thread, for the heap hooks. `None` if the thread has not run a profiled
/// function; stale counts do no harm.
#[inline]
pub(crate) fn counts() -> Option<&'static Thread> {
    let (_, record) = OWN.get();
    // SAFETY: a record lives as long as the process that it was made in and that process's forks.
    let record = unsafe { record.as_ref() };
    record.map(|record| &record.thread)
}

/// The record of this thread in the measurement in progress.
pub(super) fn own() -> Option<&'static Record> {
    let (generation, record) = OWN.get();
    if generation != GENERATION.load(Relaxed) {
        return None;
    }
    // SAFETY: as in `counts`.
    unsafe { record.as_ref() }
}

impl Record {
    /// A record that no thread uses.
    pub(super) const fn unused() -> Self {
        Self {
            thread: Thread::new(),
            clock: ThreadClock::new(),
            of: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            count: AtomicUsize::new(0),
            tables: [const { AtomicPtr::new(std::ptr::null_mut()) }; ROOM],
        }
    }

    /// The record that contains these counts.
    ///
    /// # Safety
    ///
    /// The counts must be those of a record.
    pub(super) unsafe fn of(thread: &'static Thread) -> &'static Self {
        // SAFETY: the caller's contract. A record begins with its counts.
        unsafe { &*std::ptr::from_ref(thread).cast() }
    }

    pub(super) fn thread(&self) -> &Thread {
        &self.thread
    }

    pub(super) fn clock(&self) -> &ThreadClock {
        &self.clock
    }

    /// The number of the thread.
    pub(super) fn number(&self) -> u64 {
        self.of.load(Relaxed)
    }

    /// Whether the record is that of the thread with this number.
    pub(super) fn is_of(&self, thread: u64) -> bool {
        self.of.load(Relaxed) == thread
    }

    /// Whether the figures belong to the measurement with this number.
    pub(super) fn belongs_to(&self, generation: u64) -> bool {
        self.generation.load(Acquire) == generation
    }

    /// Whether the thread has ended.
    pub(super) fn is_abandoned(&self) -> bool {
        !is_running(self.of.load(Relaxed))
    }

    /// Makes the record that of the calling thread, whose counts begin at `live` bytes. Only one
    /// thread may call this at a time.
    pub(super) fn take(&'static self, live: i64, epoch: u64) {
        let generation = GENERATION.load(Relaxed);
        if !self.belongs_to(generation) {
            let count = self.count.swap(0, Relaxed);
            for table in &self.tables[..count] {
                table.store(std::ptr::null_mut(), Relaxed);
            }
            self.thread.allocations.store(0, Relaxed);
            self.thread.probes.store(0, Relaxed);
            self.thread.live.store(live, Relaxed);
            self.thread.peak.store(live, Relaxed);
        }
        // A thread that was ended from outside may have left lines running.
        for table in self.tables() {
            table.head().line.store(0, Relaxed);
        }
        self.thread.depth.store(0, Relaxed);
        self.thread.epoch.store(epoch, Relaxed);
        self.of.store(current(), Relaxed);
        self.generation.store(generation, Release);
        OWN.set((generation, std::ptr::from_ref(self)));
    }

    /// The counters of the function with this number.
    #[inline]
    pub(super) fn table(&self, number: usize) -> Option<Table<'_>> {
        let table = self.tables.get(number)?.load(Acquire);
        // SAFETY: `set_table` has stored the address of counters that live as long as the record,
        // or the pointer is null.
        (!table.is_null()).then(|| unsafe { Table::at(table) })
    }

    /// Sets the counters of a function.
    pub(super) fn set_table(&self, number: usize, table: Table<'static>) {
        if let Some(slot) = self.tables.get(number) {
            slot.store(table.address().cast_mut(), Release);
            let count = self.count.load(Relaxed).max(number + 1);
            self.count.store(count, Release);
        }
    }

    /// The counters of all functions that the thread has called.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table<'_>> {
        self.numbered_tables().map(|(_, table)| table)
    }

    /// [`Self::tables`], each with the number of its function.
    pub(super) fn numbered_tables(&self) -> impl Iterator<Item = (usize, Table<'_>)> {
        let count = self.count.load(Acquire).min(ROOM);
        (0..count).filter_map(|number| Some((number, self.table(number)?)))
    }
}

/// The number of the calling thread, which no other running thread has.
#[cfg(target_os = "linux")]
pub(super) fn current() -> u64 {
    u64::from(rustix::thread::gettid().as_raw_pid().unsigned_abs())
}

#[cfg(target_os = "linux")]
fn is_running(thread: u64) -> bool {
    let thread = libc::c_long::try_from(thread).unwrap_or(0);
    let process = libc::c_long::from(rustix::process::getpid().as_raw_pid());
    // SAFETY: the signal 0 is never sent; the call only looks whether the thread exists.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, 0 as libc::c_long) };
    result == 0
}

#[cfg(not(target_os = "linux"))]
pub(super) fn current() -> u64 {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| std::ptr::from_ref(mark).addr() as u64)
}

/// Elsewhere nobody tells, so every thread keeps its record.
#[cfg(not(target_os = "linux"))]
fn is_running(_: u64) -> bool {
    true
}
