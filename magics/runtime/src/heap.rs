//! Heap hooks: the executable's own `malloc` family, in front of glibc's.
//!
//! The dynamic linker resolves `malloc` to the executable first, so every allocation of the
//! process comes by here: cells, `libstd`, dependencies, C libraries. Outside a measurement a
//! hook costs one load and one predicted branch. During one, sizes are those of
//! `malloc_usable_size`, the only size that `free` can know too.
//!
//! Nothing here locks, allocates or formats.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

static COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// What the heap did since [`start`]. Sizes in bytes, relative to the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Obtained minus given back; negative when older blocks were freed.
    pub(crate) live: i64,
    /// Highest `live`, at least 0.
    pub(crate) peak: u64,
    /// Bytes obtained in all.
    pub(crate) allocated: u64,
    /// Calls that obtained them.
    pub(crate) allocations: u64,
}

/// Counts from zero.
pub(crate) fn start() {
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    ALLOCATED.store(0, Relaxed);
    ALLOCATIONS.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
}

/// Stops counting; [`counts`] keeps its values.
pub(crate) fn stop() {
    COUNTING.store(false, Relaxed);
}

/// Goes on counting after a [`stop`].
pub(crate) fn resume() {
    COUNTING.store(true, Relaxed);
}

/// The counts so far.
pub(crate) fn counts() -> Counts {
    Counts {
        live: LIVE.load(Relaxed),
        peak: PEAK.load(Relaxed).max(0).unsigned_abs(),
        allocated: ALLOCATED.load(Relaxed),
        allocations: ALLOCATIONS.load(Relaxed),
    }
}

#[cfg(heap_hooks)]
mod hooks {
    use super::{ALLOCATED, ALLOCATIONS, COUNTING, LIVE, PEAK};
    use libc::{c_int, c_void, size_t};
    use std::sync::atomic::Ordering::Relaxed;

    unsafe extern "C" {
        fn __libc_malloc(size: size_t) -> *mut c_void;
        fn __libc_free(block: *mut c_void);
        fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
        fn __libc_realloc(block: *mut c_void, size: size_t) -> *mut c_void;
        fn __libc_memalign(alignment: size_t, size: size_t) -> *mut c_void;
    }

    fn usable(block: *mut c_void) -> i64 {
        // SAFETY: callers pass a block that glibc has just handed out or is about to take back,
        // or null, for which the answer is 0.
        let size = unsafe { libc::malloc_usable_size(block) };
        i64::try_from(size).unwrap_or(i64::MAX)
    }

    fn grew(by: i64) {
        let live = LIVE.fetch_add(by, Relaxed) + by;
        PEAK.fetch_max(live, Relaxed);
        if by > 0 {
            ALLOCATED.fetch_add(by.unsigned_abs(), Relaxed);
        }
    }

    #[cold]
    fn count_new(block: *mut c_void) -> *mut c_void {
        if !block.is_null() {
            ALLOCATIONS.fetch_add(1, Relaxed);
            grew(usable(block));
        }
        block
    }

    #[cold]
    fn count_free(block: *mut c_void) {
        LIVE.fetch_sub(usable(block), Relaxed);
    }

    #[cold]
    unsafe fn count_realloc(block: *mut c_void, size: size_t) -> *mut c_void {
        let before = usable(block);
        // SAFETY: the caller's contract is that of `realloc`.
        let new = unsafe { __libc_realloc(block, size) };
        if new.is_null() {
            if size == 0 {
                LIVE.fetch_sub(before, Relaxed);
            }
        } else {
            ALLOCATIONS.fetch_add(1, Relaxed);
            grew(usable(new) - before);
        }
        new
    }

    // SAFETY (of all the exported names below): each has the signature and the contract of the
    // C function whose place it takes, and forwards to glibc's own implementation of it.

    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
        // SAFETY: `malloc` may be called with any size.
        let block = unsafe { __libc_malloc(size) };
        if COUNTING.load(Relaxed) {
            count_new(block)
        } else {
            block
        }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(block: *mut c_void) {
        if COUNTING.load(Relaxed) {
            count_free(block);
        }
        // SAFETY: the caller's contract is that of `free`.
        unsafe { __libc_free(block) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
        if !COUNTING.load(Relaxed) {
            // SAFETY: `calloc` may be called with any sizes.
            return unsafe { __libc_calloc(count, size) };
        }
        // SAFETY: as above.
        count_new(unsafe { __libc_calloc(count, size) })
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
        if COUNTING.load(Relaxed) {
            // SAFETY: the caller's contract is that of `realloc`.
            return unsafe { count_realloc(block, size) };
        }
        // SAFETY: the caller's contract is that of `realloc`.
        unsafe { __libc_realloc(block, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memalign(alignment: size_t, size: size_t) -> *mut c_void {
        // SAFETY: glibc checks the alignment itself.
        let block = unsafe { __libc_memalign(alignment, size) };
        if COUNTING.load(Relaxed) {
            count_new(block)
        } else {
            block
        }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn aligned_alloc(alignment: size_t, size: size_t) -> *mut c_void {
        // SAFETY: as `memalign`, which is how glibc implements it.
        unsafe { memalign(alignment, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(
        out: *mut *mut c_void,
        alignment: size_t,
        size: size_t,
    ) -> c_int {
        if !alignment.is_power_of_two() || !alignment.is_multiple_of(size_of::<*mut c_void>()) {
            return libc::EINVAL;
        }
        // SAFETY: the alignment has just been checked.
        let block = unsafe { memalign(alignment, size) };
        if block.is_null() {
            return libc::ENOMEM;
        }
        // SAFETY: the caller's contract is that of `posix_memalign`: `out` can be written.
        unsafe { *out = block };
        0
    }
}
