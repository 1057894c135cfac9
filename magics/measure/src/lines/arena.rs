//! The counters of a run, shared with the process that started the run, so that the counters
//! survive however the run ends.
//!
//! The counters of a function are a static on pages of its own. When the function runs for the
//! first time, pages of the arena with the same contents replace these pages at the same address,
//! and probes notice nothing.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use memit_session::lines::counters::{Common, Table};

use super::known::{self, ROOM};
use crate::shared_common;
use crate::shared_pages::{PAGE, SharedPages};

/// Size in bytes. Untouched pages take no memory.
const SIZE: usize = 64 << 20;
/// Offset of the directory, behind the counts that all functions share.
const DIRECTORY: usize = size_of::<Common>();
/// Offset of the first function, behind the directory: the used size of the arena, the number of
/// functions, and the offset of each function.
const TABLES: usize = (DIRECTORY + 8 * (2 + ROOM)).next_multiple_of(PAGE);

/// The pages, which the process that starts a run and the run itself both see.
pub(crate) struct Arena {
    pages: SharedPages,
}

impl Arena {
    /// An empty arena.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub(crate) fn new() -> io::Result<Self> {
        let pages = SharedPages::new(SIZE)?;
        pages.words()[DIRECTORY / 8].store(TABLES as u64, Relaxed);
        Ok(Self { pages })
    }

    fn used(&self) -> &AtomicU64 {
        &self.pages.words()[DIRECTORY / 8]
    }

    fn count(&self) -> &AtomicU64 {
        &self.pages.words()[DIRECTORY / 8 + 1]
    }

    fn place(&self, index: usize) -> &AtomicU64 {
        &self.pages.words()[DIRECTORY / 8 + 2 + index]
    }

    /// The counts that all functions of the run share.
    pub(crate) fn common(&self) -> &Common {
        shared_common::of(&self.pages)
    }

    /// The counters of each function of the run.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table<'_>> {
        let count = usize::try_from(self.count().load(Acquire)).unwrap_or(0);
        (0..count.min(ROOM)).map(|index| {
            let place = usize::try_from(self.place(index).load(Relaxed)).unwrap_or(0);
            // SAFETY: `share` copied the whole function to this offset before it counted the
            // function, and only atomics change it. The pages live as long as `self`. The run is a
            // fork of this process, so the strings of the function have the same addresses here.
            unsafe { Table::at(self.pages.words()[place / 8..].as_ptr().cast()) }
        })
    }

    /// Shares the common counts. Call this in the run.
    pub(crate) fn share_common(&self) {
        shared_common::share(&self.pages);
    }

    /// Shares the counters of a function, if the arena has room for them. Call this in the run, on
    /// one thread at a time.
    pub(super) fn share(&self, function: Table<'static>) {
        let place = usize::try_from(self.used().load(Relaxed)).unwrap_or(SIZE);
        let size = function.size();
        if place + size > SIZE {
            return;
        }
        // SAFETY: a `Function` is a static on pages of its own, as large as `size`, and only
        // atomics change it. None of its lines has run yet: its first body waits for this call, and
        // bodies on other threads wait for their turn.
        unsafe { self.pages.replace(function.address().addr(), size, place) };
        self.used().store((place + size) as u64, Relaxed);
        let count = self.count().load(Relaxed);
        let index = usize::try_from(count).unwrap_or(0);
        self.place(index).store(place as u64, Relaxed);
        self.count().store(count + 1, Release);
    }

    /// Copies the counters, if the system's pages are too large to share them. Call this in the
    /// run.
    pub(super) fn refresh(&self) {
        if SharedPages::can_replace() {
            return;
        }
        for (index, function) in known::all().enumerate() {
            let place = usize::try_from(self.place(index).load(Relaxed)).unwrap_or(0);
            // SAFETY: a `Function` is a static as large as `size`.
            unsafe {
                self.pages
                    .copy(function.address().addr(), function.size(), place)
            };
        }
    }
}
