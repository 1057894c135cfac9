//! Memory for the counters of threads.
//!
//! A run that is a fork shares the memory with the process that started it, so that the figures
//! survive however the run ends. Both processes have the memory at the same address. Elsewhere the
//! memory is private, and lives as long as the process.

use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64};

use memit_session::lines::counters::{Head, Table};

use super::record::{self, Record};
use crate::shared::Shared;

/// Size in bytes. Untouched pages take no memory.
const SIZE: usize = 256 << 20;
/// Threads that have records. Further threads are not counted.
const THREADS: usize = 4096;
/// Bytes that [`Arena::touch`] touches.
const TOUCHED: usize = 128 << 10;
const PAGE: usize = 4096;
/// Records that a new thread looks at to find one of a thread that has ended.
const LOOKS: usize = 8;

/// What the memory begins with.
#[repr(C)]
struct Directory {
    /// Bytes in use, this directory included.
    used: AtomicU64,
    /// Number of records.
    count: AtomicU64,
    /// Where the next search for an abandoned record begins.
    hand: AtomicU64,
    /// The measurement whose figures are wanted.
    generation: AtomicU64,
    /// 1 while the statements run.
    running: AtomicU64,
    records: [AtomicPtr<Record>; THREADS],
}

/// The memory.
pub(crate) struct Arena {
    words: Shared<AtomicU64>,
}

impl Arena {
    /// Memory that this process shares with its forks.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub(crate) fn shared() -> io::Result<Self> {
        Shared::new(SIZE / 8).map(Self::of)
    }

    /// Memory of this process alone.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub(super) fn private() -> io::Result<Self> {
        Shared::private(SIZE / 8).map(Self::of)
    }

    fn of(words: Shared<AtomicU64>) -> Self {
        let arena = Self { words };
        let used = size_of::<Directory>().next_multiple_of(64) as u64;
        arena.directory().used.store(used, Relaxed);
        arena
    }

    /// Begins a measurement: the records that exist are stale.
    pub(super) fn begin(&self) {
        let generation = record::begin_generation();
        self.directory().generation.store(generation, Relaxed);
    }

    fn directory(&self) -> &Directory {
        // SAFETY: the memory is larger than a directory and aligned to a page. A directory consists
        // of atomics, for which all zero bits are a value.
        unsafe { &*self.words.as_ptr().cast() }
    }

    /// Bytes of zeros, aligned to a cache line; `None` if the memory is used up.
    fn allocate(&self, size: usize) -> Option<*mut u8> {
        let size = size.next_multiple_of(64) as u64;
        let used = &self.directory().used;
        let place = used.fetch_add(size, Relaxed);
        if place + size > SIZE as u64 {
            used.fetch_sub(size, Relaxed);
            return None;
        }
        let place = usize::try_from(place).ok()?;
        Some(self.words[place / 8..].as_ptr().cast_mut().cast())
    }

    /// Touches the pages that are used next, so that no line pays for them.
    pub(super) fn touch(&self) {
        let used = usize::try_from(self.directory().used.load(Relaxed)).unwrap_or(SIZE);
        let pages = (used..(used + TOUCHED).min(SIZE)).step_by(PAGE);
        for place in pages {
            self.words[place / 8].fetch_or(0, Relaxed);
        }
    }

    /// A record for the calling thread, which has none in this measurement. Only one thread may call
    /// this at a time, and the memory must live as long as the process.
    pub(super) fn record(&self) -> Option<&'static Record> {
        let found = self.free_record().or_else(|| self.new_record())?;
        // SAFETY: the caller promises that the memory lives as long as the process.
        Some(unsafe { &*std::ptr::from_ref(found) })
    }

    fn free_record(&self) -> Option<&Record> {
        let current = record::current();
        if let Some(own) = self.all().find(|record| record.is_of(current)) {
            return Some(own);
        }
        let directory = self.directory();
        let count = self.count();
        (0..LOOKS.min(count)).find_map(|_| {
            let hand = directory.hand.fetch_add(1, Relaxed);
            let at = usize::try_from(hand).unwrap_or(0) % count;
            self.at(at).filter(|record| record.is_abandoned())
        })
    }

    fn new_record(&self) -> Option<&Record> {
        let directory = self.directory();
        let count = self.count();
        let slot = directory.records.get(count)?;
        let place: *mut Record = self.allocate(size_of::<Record>())?.cast();
        // SAFETY: the memory has room for a record and is aligned to a cache line, and nothing else
        // uses it.
        unsafe { place.write(Record::unused()) };
        slot.store(place, Release);
        directory.count.store(count as u64 + 1, Release);
        self.at(count)
    }

    /// Counters in which the thread of `record` counts for `function`.
    pub(super) fn table(
        &self,
        function: Table<'static>,
        record: &'static Record,
    ) -> Option<Table<'static>> {
        let place: *mut Head = self.allocate(function.size())?.cast();
        // SAFETY: the memory has room for the counters and is aligned to a cache line, and nothing
        // else uses it. It lives as long as the record.
        unsafe {
            function.write_copy(place, record.thread());
            Some(Table::at(place))
        }
    }

    fn count(&self) -> usize {
        usize::try_from(self.directory().count.load(Acquire)).unwrap_or(0)
    }

    fn at(&self, index: usize) -> Option<&Record> {
        let record = self.directory().records.get(index)?.load(Acquire);
        // SAFETY: `new_record` stored the address of a record in this memory, which only atomics
        // change. The pointers in a record are to this memory and to statics of cells, which are at
        // the same addresses in the process that started the run.
        unsafe { record.as_ref() }
    }

    fn all(&self) -> impl Iterator<Item = &Record> {
        (0..self.count()).filter_map(|index| self.at(index))
    }

    /// The threads of the measurement in progress. The first is the thread that began it.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        let generation = self.directory().generation.load(Relaxed);
        self.all()
            .filter(move |record| record.belongs_to(generation))
    }

    /// Sets whether the statements run.
    pub(super) fn set_running(&self, running: bool) {
        self.directory().running.store(running.into(), Relaxed);
    }

    /// Whether the statements run.
    pub(super) fn is_running(&self) -> bool {
        self.directory().running.load(Relaxed) != 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_takes_over_the_record_of_one_that_has_ended() {
        let arena: &'static Arena = Box::leak(Box::new(Arena::private().unwrap()));
        arena.begin();
        let take = || {
            let record = arena.record().unwrap();
            record.take(0, 1);
            std::ptr::from_ref(record).addr()
        };
        let own = take();
        assert_eq!(take(), own);
        let others: HashSet<usize> = (0..200)
            .map(|_| thread::spawn(take).join().unwrap())
            .collect();
        assert!(!others.contains(&own));
        // A thread may end a little later than it is joined.
        assert!(others.len() < 50, "{}", others.len());
        assert_eq!(arena.records().count(), 1 + others.len());
        // A new measurement begins without records.
        arena.begin();
        assert_eq!(arena.records().count(), 0);
        assert_eq!(take(), own);
    }
}
