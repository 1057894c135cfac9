//! Memory that a process shares with its forks.
//!
//! What a run writes here survives the run, however it ends.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64};

/// Types that may be shared between processes and for which all bits zero is a value.
///
/// # Safety
///
/// Both must hold: atomics without pointers.
pub(crate) unsafe trait Shareable {}

// SAFETY: plain atomics; zero is a value of each.
unsafe impl Shareable for AtomicU64 {}
// SAFETY: as above.
unsafe impl Shareable for AtomicU8 {}
// SAFETY: as above.
unsafe impl Shareable for AtomicI32 {}
// SAFETY: as above; zero is `false`.
unsafe impl Shareable for AtomicBool {}

/// A zeroed slice that stays shared across `fork`.
pub(crate) struct Shared<T: Shareable> {
    start: *mut T,
    len: usize,
}

// SAFETY: the elements are atomics, which any thread may use.
unsafe impl<T: Shareable> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Shareable> Sync for Shared<T> {}

impl<T: Shareable> Shared<T> {
    /// Maps `len` zeroed elements.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        Self::map(len, libc::MAP_ANONYMOUS, -1)
    }

    /// Maps the first `len` elements of a file of [`shared_file`].
    pub(crate) fn of_file(file: &File, len: usize) -> io::Result<Self> {
        Self::map(len, 0, file.as_raw_fd())
    }

    fn map(len: usize, flags: libc::c_int, fd: RawFd) -> io::Result<Self> {
        // SAFETY: a new mapping; nothing else in this process refers to it.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len * size_of::<T>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | flags,
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

/// A file of `size` zero bytes that is nowhere but in memory and has no name.
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
        // SAFETY: the mapping is `len` elements long, zeroed, page-aligned, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T: Shareable> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length and is not used afterwards.
        unsafe { libc::munmap(self.start.cast(), self.len * size_of::<T>()) };
    }
}
