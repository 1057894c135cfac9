//! The counters of a run, shared with the process that started the run, so that the counters are
//! there however the run ends.
//!
//! The counters of a function are a static on pages of its own. When the function runs for the
//! first time, these pages are replaced by pages of the arena with the same contents, at the same
//! address: probes notice nothing.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use memit_session::lines::counters::{Common, Table};

use super::known::{self, ROOM};
use crate::shared_common;
use crate::shared_pages::{PAGE, SharedPages};

/// Size in bytes. Pages that nobody touches take no memory.
const SIZE: usize = 64 << 20;
/// The counts that all functions share come first.
const DIRECTORY: usize = size_of::<Common>();
/// Then come the used size of the arena, the number of functions, and the place of each function.
const TABLES: usize = (DIRECTORY + 8 * (2 + ROOM)).next_multiple_of(PAGE);

/// The pages, as the process that starts a run sees them and as the run sees them.
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

    /// The functions of the run.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table<'_>> {
        let count = usize::try_from(self.count().load(Acquire)).unwrap_or(0);
        (0..count.min(ROOM)).map(|index| {
            let place = usize::try_from(self.place(index).load(Relaxed)).unwrap_or(0);
            // SAFETY: `share` has put the function there, whole, before it was counted. Its strings
            // are where they are in the run, which is a fork of this process.
            unsafe { Table::at(self.pages.words()[place / 8..].as_ptr().cast()) }
        })
    }

    /// Shares the common counts. To be called in the run.
    pub(crate) fn share_common(&self) {
        shared_common::share(&self.pages);
    }

    /// Shares the counters of a function, if the arena has room for them. To be called in the run, by
    /// one caller at a time.
    pub(super) fn share(&self, function: Table<'static>) {
        let place = usize::try_from(self.used().load(Relaxed)).unwrap_or(SIZE);
        let size = function.size();
        if place + size > SIZE {
            return;
        }
        self.pages.replace(function.address().addr(), size, place);
        self.used().store((place + size) as u64, Relaxed);
        let count = self.count().load(Relaxed);
        let index = usize::try_from(count).unwrap_or(0);
        self.place(index).store(place as u64, Relaxed);
        self.count().store(count + 1, Release);
    }

    /// Copies the counters that could not be shared, because the system's pages are larger. To be
    /// called in the run.
    pub(super) fn refresh(&self) {
        if SharedPages::can_replace() {
            return;
        }
        for (index, function) in known::all().enumerate() {
            let place = usize::try_from(self.place(index).load(Relaxed)).unwrap_or(0);
            self.pages
                .copy(function.address().addr(), function.size(), place);
        }
    }
}
