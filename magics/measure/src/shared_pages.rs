//! Pages that a run shares with the process that started it.
//!
//! A static on pages of its own can be moved there at the same address: the pages of the static are
//! replaced by shared pages with the same contents.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::AtomicU64;

use crate::shared::{Shared, shared_file};

/// The size of a page that the statics are aligned to.
pub(crate) const PAGE: usize = 4096;

/// Shared pages, as the process that starts a run sees them and as the run sees them.
pub(crate) struct SharedPages {
    file: File,
    words: Shared<AtomicU64>,
}

impl SharedPages {
    /// Shared pages of `size` zero bytes. Pages that nobody touches take no memory.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub(crate) fn new(size: usize) -> io::Result<Self> {
        let file = shared_file(size)?;
        let words = Shared::of_file(&file, size / 8)?;
        Ok(Self { file, words })
    }

    /// The contents, in words of eight bytes.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        &self.words
    }

    /// Whether the system's pages are small enough to replace those of a static.
    pub(crate) fn can_replace() -> bool {
        rustix::param::page_size() == PAGE
    }

    /// Replaces the pages of a static that only atomics change by those at the offset `place`. Where
    /// pages cannot be replaced, this copies the contents as they are now.
    pub(crate) fn replace(&self, address: usize, size: usize, place: usize) {
        if !self.copy(address, size, place) || !Self::can_replace() {
            return;
        }
        let Ok(offset) = libc::off_t::try_from(place) else {
            return;
        };
        // SAFETY: the pages are the static's alone, and what replaces them has its contents.
        // Nothing changes them meanwhile: a function is shared before its first line runs, and
        // the common counts before the measurement begins. If it fails, they stay as they are.
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

    /// Copies the contents of a static to the offset `place`; false if the system refuses.
    pub(crate) fn copy(&self, address: usize, size: usize, place: usize) -> bool {
        // SAFETY: a static is there, and its bytes are initialised. Only this thread runs.
        let contents = unsafe { std::slice::from_raw_parts(address as *const u8, size) };
        self.file.write_all_at(contents, place as u64).is_ok()
    }
}
