//! Memory that a process shares with its forks.
//!
//! The contents survive a run, however the run ends.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64};

/// Types that processes may share and for which all bits zero are a valid value.
///
/// # Safety
///
/// Both must be true of the type, as they are of atomics that hold no pointer.
pub(crate) unsafe trait Shareable {}

// SAFETY: plain atomics; zero is a value of each.
unsafe impl Shareable for AtomicU64 {}
// SAFETY: as above.
unsafe impl Shareable for AtomicU8 {}
// SAFETY: as above.
unsafe impl Shareable for AtomicI32 {}
// SAFETY: as above; zero is `false`.
unsafe impl Shareable for AtomicBool {}

/// A slice that starts as zeros and stays shared across `fork`.
pub(crate) struct Shared<T: Shareable> {
    start: *mut T,
    len: usize,
}

// SAFETY: the elements are atomics, which any thread may use.
unsafe impl<T: Shareable> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Shareable> Sync for Shared<T> {}

/// Miri knows private mappings only, and no forks that could share others.
const SHARING: libc::c_int = if cfg!(miri) {
    libc::MAP_PRIVATE
} else {
    libc::MAP_SHARED
};

impl<T: Shareable> Shared<T> {
    /// Maps `len` zeroed elements.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        Self::map(len, SHARING | libc::MAP_ANONYMOUS, -1)
    }

    /// Maps `len` zeroed elements of which each fork has a copy of its own.
    pub(crate) fn private(len: usize) -> io::Result<Self> {
        Self::map(len, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
    }

    /// Maps the first `len` elements of a file made by [`shared_file`].
    pub(crate) fn of_file(file: &File, len: usize) -> io::Result<Self> {
        Self::map(len, SHARING, file.as_raw_fd())
    }

    fn map(len: usize, flags: libc::c_int, fd: RawFd) -> io::Result<Self> {
        // SAFETY: the system chooses the address, so the new mapping replaces no memory in use.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len * size_of::<T>(),
                libc::PROT_READ | libc::PROT_WRITE,
                flags | libc::MAP_NORESERVE,
                fd,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            start: start.cast(),
            len,
        })
    }
}

/// A nameless file of `size` zero bytes; on Linux, a file in memory only.
pub(crate) fn shared_file(size: usize) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    let file = {
        use rustix::fs::{MemfdFlags, memfd_create};
        File::from(memfd_create(c"memit", MemfdFlags::CLOEXEC)?)
    };
    #[cfg(not(target_os = "linux"))]
    let file = {
        let path = std::env::temp_dir().join(format!("memit-{}", std::process::id()));
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        std::fs::remove_file(path)?;
        file
    };
    file.set_len(size as u64)?;
    Ok(file)
}

impl<T: Shareable> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the mapping holds `len` elements, starts on a page and lives as long as `self`.
        // Every byte was zero at first, which is a valid value of a `Shareable`, and only atomics
        // change the bytes.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T: Shareable> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: `map` made the mapping with this length, and no reference outlives `self`.
        unsafe { libc::munmap(self.start.cast(), self.len * size_of::<T>()) };
    }
}
