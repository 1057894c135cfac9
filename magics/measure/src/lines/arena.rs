//! Pages that a measured run shares with the process that started it, so that its counters are
//! there whatever becomes of it.
//!
//! The counters of a function are a static on pages of its own. When the function runs for the
//! first time, these pages are replaced by pages of the arena with the same contents, at the same
//! address: probes notice nothing.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::COMMON;
use super::counters::{Common, Table};
use super::known::{self, ROOM};
use crate::shared::{Shared, shared_file};

/// Bytes; pages that nobody touches take no memory.
const SIZE: usize = 64 << 20;
/// What is common to all functions comes first.
const DIRECTORY: usize = size_of::<Common>();
/// Then how much of the arena is used, how many functions there are, and where each is.
const TABLES: usize = (DIRECTORY + 8 * (2 + ROOM)).next_multiple_of(PAGE);
const PAGE: usize = 4096;

/// The pages, as the process that starts a run has them and as the run has them.
pub(crate) struct Arena {
    file: File,
    words: Shared<AtomicU64>,
}

impl Arena {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub(crate) fn new() -> io::Result<Self> {
        let file = shared_file(SIZE)?;
        let words: Shared<AtomicU64> = Shared::of_file(&file, SIZE / 8)?;
        words[DIRECTORY / 8].store(TABLES as u64, Relaxed);
        Ok(Self { file, words })
    }

    fn used(&self) -> &AtomicU64 {
        &self.words[DIRECTORY / 8]
    }

    fn count(&self) -> &AtomicU64 {
        &self.words[DIRECTORY / 8 + 1]
    }

    fn place(&self, index: usize) -> &AtomicU64 {
        &self.words[DIRECTORY / 8 + 2 + index]
    }

    /// What all functions of the run have in common.
    pub(crate) fn common(&self) -> &Common {
        // SAFETY: the arena begins with one, all atomics, of which zero is a value.
        unsafe { &*self.words.as_ptr().cast() }
    }

    /// The same while the run runs; `None` where that cannot be shared, because the system's pages are
    /// larger.
    pub(crate) fn live_common(&self) -> Option<&Common> {
        (page() == PAGE).then(|| self.common())
    }

    /// The functions of the run.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table<'_>> {
        let count = usize::try_from(self.count().load(Acquire)).unwrap_or(0);
        (0..count.min(ROOM)).map(|index| {
            let place = usize::try_from(self.place(index).load(Relaxed)).unwrap_or(0);
            // SAFETY: `share` has put the function there, whole, before it was counted. Its strings
            // are where they are in the run, which is a fork of this process.
            unsafe { Table::at(self.words[place / 8..].as_ptr().cast()) }
        })
    }

    /// Makes what is common to all functions shared. To be called in the run.
    pub(crate) fn share_common(&self) {
        self.replace(std::ptr::from_ref(&COMMON).addr(), size_of::<Common>(), 0);
    }

    /// Makes the counters of a function shared, if there is room for them. To be called in the
    /// run, by one caller at a time.
    pub(super) fn share(&self, function: Table<'static>) {
        let place = usize::try_from(self.used().load(Relaxed)).unwrap_or(SIZE);
        let size = function.size();
        if place + size > SIZE {
            return;
        }
        self.replace(function.address().addr(), size, place);
        self.used().store((place + size) as u64, Relaxed);
        let count = self.count().load(Relaxed);
        let index = usize::try_from(count).unwrap_or(0);
        self.place(index).store(place as u64, Relaxed);
        self.count().store(count + 1, Release);
    }

    /// Writes what could not be shared, because the system's pages are larger, as it is now. To
    /// be called in the run.
    pub(super) fn refresh(&self) {
        if page() == PAGE {
            return;
        }
        for (index, function) in known::all().enumerate() {
            self.write(
                function.address().addr(),
                function.size(),
                self.place(index).load(Relaxed),
            );
        }
    }

    /// Replaces the pages of a static that only atomics change by those at `place`, if it is on
    /// pages of its own.
    fn replace(&self, address: usize, size: usize, place: usize) {
        if !self.write(address, size, place as u64) || page() != PAGE {
            return;
        }
        let Ok(offset) = libc::off_t::try_from(place) else {
            return;
        };
        // SAFETY: the pages are the static's alone, and what replaces them has its contents.
        // Nothing changes them meanwhile: a function is shared before its first line runs, and
        // what is common before the measurement begins. If it fails, they stay as they are.
        unsafe {
            libc::mmap(
                address as *mut libc::c_void,
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_FIXED,
                self.file.as_raw_fd(),
                offset,
            )
        };
    }

    fn write(&self, address: usize, size: usize, place: u64) -> bool {
        // SAFETY: a static is there, and its bytes are initialised. Only this thread runs.
        let contents = unsafe { std::slice::from_raw_parts(address as *const u8, size) };
        self.file.write_all_at(contents, place).is_ok()
    }
}

/// Size of the system's pages.
fn page() -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(page).unwrap_or(PAGE)
}
