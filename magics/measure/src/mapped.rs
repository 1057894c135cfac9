//! Hooks in front of the functions that give mapped memory back.
//!
//! When memory is given back, the system raises the mark of the peak from counters that are not
//! exact ([`crate::rss`]). While the heap is counted, the hooks therefore have the exact size read
//! first. Otherwise, a hook is a test and the system call. glibc's own calls do not pass the hooks.

use std::ffi::c_void;

/// Gives back a mapping of ours, which no peak contains.
///
/// # Safety
///
/// The contract is that of `munmap`.
pub(crate) unsafe fn unmap(start: *mut c_void, length: usize) {
    #[cfg(heap_hooks)]
    // SAFETY: the caller's contract.
    unsafe {
        hooks::raw_munmap(start, length);
    }
    #[cfg(not(heap_hooks))]
    // SAFETY: the caller's contract.
    unsafe {
        libc::munmap(start, length);
    }
}

#[cfg(heap_hooks)]
mod hooks {
    use std::ffi::{c_int, c_long, c_void};

    use crate::{heap, rss};

    fn before_fall() {
        if heap::is_counting() {
            rss::note_peak();
        }
    }

    /// # Safety
    ///
    /// The contract is that of `munmap`.
    pub(super) unsafe fn raw_munmap(start: *mut c_void, length: usize) -> c_int {
        // SAFETY: the caller's contract. Like `munmap`, `syscall` sets `errno` and returns -1.
        narrow(unsafe { libc::syscall(libc::SYS_munmap, start, length) })
    }

    fn narrow(result: c_long) -> c_int {
        c_int::try_from(result).unwrap_or(-1)
    }

    // Each exported function has the signature and the contract of the function of glibc, which makes
    // the same system call.

    #[unsafe(no_mangle)]
    unsafe extern "C" fn munmap(start: *mut c_void, length: usize) -> c_int {
        before_fall();
        // SAFETY: the caller's contract.
        unsafe { raw_munmap(start, length) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn madvise(start: *mut c_void, length: usize, advice: c_int) -> c_int {
        if [libc::MADV_DONTNEED, libc::MADV_FREE, libc::MADV_REMOVE].contains(&advice) {
            before_fall();
        }
        // SAFETY: the caller's contract.
        narrow(unsafe { libc::syscall(libc::SYS_madvise, start, length, advice) })
    }

    /// The last argument of C's `mremap` is variadic. Both architectures with hooks pass it in the
    /// register of a fifth argument.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn mremap(
        start: *mut c_void,
        length: usize,
        new_length: usize,
        flags: c_int,
        new_start: *mut c_void,
    ) -> *mut c_void {
        if new_length < length {
            before_fall();
        }
        // SAFETY: the caller's contract. The system ignores the last argument unless a flag asks for
        // it.
        let moved = unsafe {
            libc::syscall(
                libc::SYS_mremap,
                start,
                length,
                new_length,
                flags,
                new_start,
            )
        };
        moved as *mut c_void
    }
}
