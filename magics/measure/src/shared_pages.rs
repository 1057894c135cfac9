//! Pages that a run shares with the process that started it.
//!
//! Shared pages with the same contents can replace the pages of a static at the same address, if
//! the static has pages of its own.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::AtomicU64;

use crate::shared::{Shared, shared_file};

/// The page size to which such statics are aligned.
pub(crate) const PAGE: usize = 4096;

/// Shared pages, which the process that starts a run and the run itself both see.
pub(crate) struct SharedPages {
    file: File,
    words: Shared<AtomicU64>,
}

impl SharedPages {
    /// Shared pages of `size` zero bytes. Untouched pages take no memory.
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

    /// Whether the system's pages are small enough to replace the pages of a static.
    pub(crate) fn can_replace() -> bool {
        rustix::param::page_size() == PAGE
    }

    /// Replaces the pages of a static by the shared pages at the offset `place`. Copies the
    /// contents of the static instead if the system's pages are too large.
    ///
    /// # Safety
    ///
    /// `address` must be that of a static of `size` bytes which has its pages to itself and which
    /// only atomics change. Nothing may use the static meanwhile.
    pub(crate) unsafe fn replace(&self, address: usize, size: usize, place: usize) {
        // SAFETY: the caller's contract.
        let is_copied = unsafe { self.copy(address, size, place) };
        if !is_copied || !Self::can_replace() {
            return;
        }
        let Ok(offset) = libc::off_t::try_from(place) else {
            return;
        };
        // SAFETY: the static has these pages to itself, and the pages that replace them have the
        // same contents, because nothing changes the static meanwhile. A failure leaves the pages
        // unchanged.
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
    ///
    /// # Safety
    ///
    /// `address` must be that of a static of `size` bytes.
    pub(crate) unsafe fn copy(&self, address: usize, size: usize, place: usize) -> bool {
        let Ok(offset) = libc::off_t::try_from(place) else {
            return false;
        };
        let bytes = address as *const libc::c_void;
        // SAFETY: `pwrite` only reads the bytes of the static. Its atomics may change meanwhile,
        // because no Rust reference covers the bytes.
        let written = unsafe { libc::pwrite(self.file.as_raw_fd(), bytes, size, offset) };
        usize::try_from(written) == Ok(size)
    }
}
