//! Heap hooks: the executable's own `malloc` family, in front of glibc's.
//!
//! The dynamic linker resolves `malloc` to the executable first, so every allocation of the process
//! passes a hook: in cells, `libstd`, dependencies, C libraries. Outside a measurement, a hook
//! costs two loads and predicted branches; a timed run has no hooks ([`crate::unhook`]). During a
//! measurement, sizes are those of `malloc_usable_size`, the only size that `free` can know too.
//!
//! Nothing here locks, allocates or formats.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use crate::common::COMMON;
use crate::threads;

static COUNTING: AtomicBool = AtomicBool::new(false);
/// `COMMON.highest` when the resident memory was last read.
static NOTED_PEAK: AtomicI64 = AtomicI64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);
/// Bytes and number of the blocks that were given back and that [`requested`] does not know: with its table, the
/// blocks from before.
static OLD_FREED: AtomicU64 = AtomicU64::new(0);
static OLD_FREES: AtomicU64 = AtomicU64::new(0);
/// Size of the live heap that no new block may pass.
static LIMIT: AtomicI64 = AtomicI64::new(i64::MAX);

thread_local! {
    /// The calling thread is not counted, because it measures.
    static ASIDE: Cell<bool> = const { Cell::new(false) };
    /// The calling thread is in a hook, and may hold a lock of `malloc`.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Leaves the calling thread out of the counts. While counting goes on, no other thread may free a
/// block that this thread obtained.
pub(crate) fn set_thread_aside() {
    ASIDE.set(true);
}

/// Leaves the calling thread out of the counts while it runs `body`, which may free only what it
/// obtains itself.
pub(crate) fn leaving_thread_aside<T>(body: impl FnOnce() -> T) -> T {
    let before = ASIDE.replace(true);
    let result = body();
    ASIDE.set(before);
    result
}

/// Counts of the heap since [`start`]. Sizes are in bytes, relative to the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Bytes obtained minus bytes freed; negative when older blocks were freed.
    pub(crate) live: i64,
    /// Highest `live`, at least 0.
    pub(crate) peak: u64,
    /// Bytes obtained in all; a `realloc` obtains the whole new size.
    pub(crate) allocated: u64,
    /// Calls that obtained memory.
    pub(crate) allocations: u64,
    /// Bytes of blocks from before the start that were given back, if requested sizes are counted.
    pub(crate) old_freed: u64,
    /// Number of these blocks.
    pub(crate) old_frees: u64,
}

/// Starts counting from zero. `threaded` says whether the process has more than one thread.
pub(crate) fn start(threaded: bool) {
    threads::set_many(threaded);
    COMMON.live.store(0, Relaxed);
    COMMON.peak.store(0, Relaxed);
    COMMON.highest.store(0, Relaxed);
    NOTED_PEAK.store(0, Relaxed);
    ALLOCATED.store(0, Relaxed);
    OLD_FREED.store(0, Relaxed);
    OLD_FREES.store(0, Relaxed);
    COMMON.allocations.store(0, Relaxed);
    LIMIT.store(i64::MAX, Relaxed);
    COUNTING.store(true, Relaxed);
}

/// Stops counting; [`counts`] keeps its values.
pub(crate) fn stop() {
    COUNTING.store(false, Relaxed);
}

/// Whether the heap is counted, for any purpose.
pub(crate) fn is_counting() -> bool {
    COUNTING.load(Relaxed)
}

/// Continues to count after a [`stop`].
pub(crate) fn resume() {
    COUNTING.store(true, Relaxed);
}

/// Ends the process before its live heap passes `bytes`.
pub(crate) fn set_limit(bytes: u64) {
    LIMIT.store(i64::try_from(bytes).unwrap_or(i64::MAX), Relaxed);
}

/// Whether the calling thread is in none of the hooks.
pub(crate) fn is_outside() -> bool {
    !INSIDE.get()
}

/// Calls every hook, because a fork has not mapped the code of the hooks yet.
pub(crate) fn pass_hooks() {
    let mut grown = Vec::<u8>::with_capacity(8);
    grown.resize(64, 1);
    std::hint::black_box((grown, vec![0_u8; 64]));
}

/// The counts so far.
pub(crate) fn counts() -> Counts {
    Counts {
        live: COMMON.live.load(Relaxed),
        peak: COMMON.highest.load(Relaxed).max(0).unsigned_abs(),
        allocated: ALLOCATED.load(Relaxed),
        allocations: COMMON.allocations.load(Relaxed),
        old_freed: OLD_FREED.load(Relaxed),
        old_frees: OLD_FREES.load(Relaxed),
    }
}

pub(crate) use crate::in_use::in_use;

/// The address of each hook, with the address of the glibc function that it replaces.
#[cfg(heap_hooks)]
pub(crate) use hooks::replaced;

#[cfg(heap_hooks)]
mod hooks {
    use super::{ALLOCATED, ASIDE, COMMON, INSIDE, LIMIT, NOTED_PEAK, OLD_FREED, OLD_FREES};
    use crate::lines::record;
    use crate::{requested, threads};
    use libc::{c_int, c_void, size_t};
    use std::sync::atomic::{
        AtomicI64, AtomicU64,
        Ordering::{Relaxed, SeqCst},
        compiler_fence,
    };

    // SAFETY: glibc defines these functions with the types of `malloc` and its relatives.
    unsafe extern "C" {
        fn __libc_malloc(size: size_t) -> *mut c_void;
        fn __libc_free(block: *mut c_void);
        fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
        fn __libc_realloc(block: *mut c_void, size: size_t) -> *mut c_void;
        fn __libc_memalign(alignment: size_t, size: size_t) -> *mut c_void;
    }

    fn usable(block: *mut c_void) -> i64 {
        // SAFETY: callers pass a block that glibc has just handed out or is about to take back, or
        // null, for which the size is 0.
        let size = unsafe { libc::malloc_usable_size(block) };
        i64::try_from(size).unwrap_or(i64::MAX)
    }

    /// Adds to a count, atomically if there are other threads; returns the sum.
    fn add(to: &AtomicI64, by: i64) -> i64 {
        if threads::are_many() {
            return to.fetch_add(by, Relaxed) + by;
        }
        let sum = to.load(Relaxed) + by;
        to.store(sum, Relaxed);
        sum
    }

    /// As [`add`].
    fn add_unsigned(to: &AtomicU64, by: u64) {
        if threads::are_many() {
            to.fetch_add(by, Relaxed);
        } else {
            to.store(to.load(Relaxed) + by, Relaxed);
        }
    }

    fn raise(peak: &AtomicI64, live: i64) {
        if live > peak.load(Relaxed) {
            peak.fetch_max(live, Relaxed);
        }
    }

    /// The live heap has changed by `by` bytes, in a call that obtained `obtained` bytes.
    fn grew(by: i64, obtained: i64) {
        let live = add(&COMMON.live, by);
        raise(&COMMON.highest, live);
        raise(&COMMON.peak, live);
        add_unsigned(&ALLOCATED, obtained.unsigned_abs());
        of_thread(by);
    }

    fn shrank(by: i64) {
        add(&COMMON.live, -by);
        of_thread(-by);
    }

    /// Adds to the counts of the calling thread, if lines are counted.
    fn of_thread(by: i64) {
        let Some(own) = record::counts() else { return };
        let live = own.live.load(Relaxed) + by;
        own.live.store(live, Relaxed);
        if live > own.peak.load(Relaxed) {
            own.peak.store(live, Relaxed);
        }
        own.epoch
            .store(own.epoch.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Counts a call that obtained memory.
    fn count_call() {
        add_unsigned(&COMMON.allocations, 1);
        if let Some(own) = record::counts() {
            let calls = own.allocations.load(Relaxed) + 1;
            own.allocations.store(calls, Relaxed);
        }
    }

    /// Counts a block of this usable size that is given back and whose requested size is not known.
    fn count_old(size: i64) {
        add_unsigned(&OLD_FREED, size.unsigned_abs());
        add_unsigned(&OLD_FREES, 1);
    }

    /// Ends the process if `size` more bytes would pass the limit.
    fn before_rise(size: size_t) {
        let limit = LIMIT.load(Relaxed);
        if limit == i64::MAX {
            return;
        }
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let live = COMMON.live.load(Relaxed).saturating_add(size);
        if live > limit {
            crate::common::pass_limit(live);
        }
    }

    fn count_new(block: *mut c_void, requested: size_t) -> *mut c_void {
        if !block.is_null() {
            let size = usable(block);
            count_call();
            requested::obtained(block.addr(), requested);
            grew(size, size);
        }
        block
    }

    /// Blocks of this size go back to the system at once (glibc's `M_MMAP_THRESHOLD`).
    const LARGE: i64 = 128 << 10;
    /// Freeing a small block may give the top of the heap back too: the resident memory is read
    /// first if the peak has risen by a 64th, and by at least this size.
    const STEP: i64 = 64 << 10;

    /// Reads the resident memory before `size` bytes are freed, if the heap has had a new peak
    /// since the last such reading.
    fn before_fall(size: i64) {
        let peak = COMMON.highest.load(Relaxed);
        let noted = NOTED_PEAK.load(Relaxed);
        let rise = if size >= LARGE {
            0
        } else {
            STEP.max(noted / 64)
        };
        if peak > noted + rise {
            NOTED_PEAK.store(peak, Relaxed);
            crate::rss::note_peak();
        }
    }

    /// The hooks while the heap is counted. They are functions of their own, so that an exported
    /// hook is a test and a jump to glibc while nothing is counted.
    mod counted {
        use super::{
            __libc_calloc, __libc_free, __libc_malloc, __libc_memalign, __libc_realloc,
            before_fall, before_rise, c_void, count_call, count_new, count_old, grew, requested,
            shrank, size_t, usable,
        };

        #[cold]
        #[inline(never)]
        pub(super) fn malloc(size: size_t) -> *mut c_void {
            before_rise(size);
            // SAFETY: `malloc` may be called with any size.
            count_new(unsafe { __libc_malloc(size) }, size)
        }

        #[cold]
        #[inline(never)]
        pub(super) fn calloc(count: size_t, size: size_t) -> *mut c_void {
            let requested = count.saturating_mul(size);
            before_rise(requested);
            // SAFETY: `calloc` may be called with any sizes.
            count_new(unsafe { __libc_calloc(count, size) }, requested)
        }

        #[cold]
        #[inline(never)]
        pub(super) fn memalign(alignment: size_t, size: size_t) -> *mut c_void {
            before_rise(size);
            // SAFETY: glibc checks the alignment itself.
            count_new(unsafe { __libc_memalign(alignment, size) }, size)
        }

        /// # Safety
        ///
        /// The contract is that of `free`.
        #[cold]
        #[inline(never)]
        pub(super) unsafe fn free(block: *mut c_void) {
            let size = usable(block);
            before_fall(size);
            if !block.is_null() && requested::given_back(block.addr(), size).is_none() {
                count_old(size);
            }
            shrank(size);
            // SAFETY: the caller's contract.
            unsafe { __libc_free(block) }
        }

        /// # Safety
        ///
        /// The contract is that of `realloc`.
        #[cold]
        #[inline(never)]
        pub(super) unsafe fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
            let before = usable(block);
            before_rise(size.saturating_sub(usize::try_from(before).unwrap_or(0)));
            before_fall(before);
            let requested = (!block.is_null())
                .then(|| requested::given_back(block.addr(), before))
                .flatten();
            // SAFETY: the caller's contract.
            let new = unsafe { __libc_realloc(block, size) };
            if !new.is_null() {
                let after = usable(new);
                count_call();
                if !block.is_null() && requested.is_none() {
                    count_old(before);
                }
                requested::obtained(new.addr(), size);
                grew(after - before, after);
            } else if size == 0 {
                if !block.is_null() && requested.is_none() {
                    count_old(before);
                }
                shrank(before);
            } else if !block.is_null() {
                let known = requested.or(usize::try_from(before).ok());
                requested::kept(block.addr(), known.unwrap_or(0));
            }
            new
        }
    }

    pub(crate) fn replaced() -> [(usize, usize); 5] {
        [
            (
                malloc as *const () as usize,
                __libc_malloc as *const () as usize,
            ),
            (
                free as *const () as usize,
                __libc_free as *const () as usize,
            ),
            (
                calloc as *const () as usize,
                __libc_calloc as *const () as usize,
            ),
            (
                realloc as *const () as usize,
                __libc_realloc as *const () as usize,
            ),
            (
                memalign as *const () as usize,
                __libc_memalign as *const () as usize,
            ),
        ]
    }

    fn counting() -> bool {
        super::is_counting() && !ASIDE.get()
    }

    /// A hook: what it does while the heap is counted, and the call of glibc otherwise. The calling
    /// thread is inside meanwhile, if there have ever been other threads: a process is not copied while
    /// a thread is inside.
    #[inline]
    fn pass<T>(counted: impl FnOnce() -> T, plain: impl FnOnce() -> T) -> T {
        if !super::is_counting() && !threads::has_created() {
            return plain();
        }
        INSIDE.set(true);
        compiler_fence(SeqCst);
        let result = if counting() { counted() } else { plain() };
        compiler_fence(SeqCst);
        INSIDE.set(false);
        result
    }

    // Each exported function has the signature and the contract of the C function that it replaces,
    // and forwards to glibc's own implementation.

    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
        pass(
            || counted::malloc(size),
            // SAFETY: `malloc` may be called with any size.
            || unsafe { __libc_malloc(size) },
        )
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(block: *mut c_void) {
        pass(
            // SAFETY: the caller's contract is that of `free`.
            || unsafe { counted::free(block) },
            // SAFETY: the caller's contract is that of `free`.
            || unsafe { __libc_free(block) },
        );
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
        pass(
            || counted::calloc(count, size),
            // SAFETY: `calloc` may be called with any sizes.
            || unsafe { __libc_calloc(count, size) },
        )
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
        pass(
            // SAFETY: the caller's contract is that of `realloc`.
            || unsafe { counted::realloc(block, size) },
            // SAFETY: the caller's contract is that of `realloc`.
            || unsafe { __libc_realloc(block, size) },
        )
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memalign(alignment: size_t, size: size_t) -> *mut c_void {
        pass(
            || counted::memalign(alignment, size),
            // SAFETY: glibc checks the alignment itself.
            || unsafe { __libc_memalign(alignment, size) },
        )
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn aligned_alloc(alignment: size_t, size: size_t) -> *mut c_void {
        // SAFETY: the contract of `aligned_alloc` is that of `memalign`, as in glibc.
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
