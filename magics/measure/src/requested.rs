//! The requested sizes of heap blocks.
//!
//! `free` learns the usable size of a block from the allocator. The requested size, which DHAT and
//! other tools count, is known only to the call that obtained the block, so a table keeps it while a
//! run is counted. A block from before the run counts with its usable size.
//!
//! The table is memory of its own: all of its pages are resident from the start, and readings of the
//! resident memory leave them out ([`resident_bytes`]).

use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::{mapped, rss, threads};

/// The blocks of a run, by address: open addressing with linear probing. At most half of the slots
/// are used.
static SLOTS: AtomicPtr<Slot> = AtomicPtr::new(std::ptr::null_mut());
/// Number of slots, a power of two; 0 if there is no table.
static CAPACITY: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);
/// Held by the thread that uses the table, if there is more than one thread.
static LOCKED: AtomicBool = AtomicBool::new(false);

static LIVE: AtomicI64 = AtomicI64::new(0);
static HIGHEST: AtomicI64 = AtomicI64::new(0);
static ALLOCATED: AtomicU64 = AtomicU64::new(0);

const FIRST_CAPACITY: usize = 1 << 15;

/// A block. The address of an empty slot is 0.
#[derive(Clone, Copy)]
#[repr(C)]
struct Slot {
    address: usize,
    size: usize,
}

/// Requested bytes since [`start`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Requested {
    /// Highest sum of the blocks that were alive at once.
    pub(crate) peak: u64,
    /// Sum of all requests; a `realloc` requests the whole new size.
    pub(crate) allocated: u64,
}

/// Starts with an empty table. Without memory for the table, nothing is counted.
pub(crate) fn start() {
    stop();
    let slots = map(FIRST_CAPACITY);
    USED.store(0, Relaxed);
    LIVE.store(0, Relaxed);
    HIGHEST.store(0, Relaxed);
    ALLOCATED.store(0, Relaxed);
    SLOTS.store(slots, Relaxed);
    CAPACITY.store(if slots.is_null() { 0 } else { FIRST_CAPACITY }, Relaxed);
}

/// Gives the table up; [`counts`] is `None` from then on.
pub(crate) fn stop() {
    let capacity = CAPACITY.swap(0, Relaxed);
    if capacity > 0 {
        unmap(SLOTS.load(Relaxed), capacity);
    }
}

/// The counts so far; `None` if not every block was counted.
pub(crate) fn counts() -> Option<Requested> {
    (CAPACITY.load(Relaxed) > 0).then(|| Requested {
        peak: HIGHEST.load(Relaxed).max(0).unsigned_abs(),
        allocated: ALLOCATED.load(Relaxed),
    })
}

/// Resident bytes of the table.
pub(crate) fn resident_bytes() -> u64 {
    (CAPACITY.load(Relaxed) * size_of::<Slot>()) as u64
}

/// A block has been obtained.
#[inline]
pub(crate) fn obtained(address: usize, size: usize) {
    if CAPACITY.load(Relaxed) > 0 {
        with_table(|| put_in(address, size));
    }
}

/// A block of this usable size is about to be given back. Returns its requested size.
#[inline]
pub(crate) fn given_back(address: usize, usable: i64) -> Option<usize> {
    if CAPACITY.load(Relaxed) == 0 {
        return None;
    }
    let mut known = None;
    with_table(|| known = take_out(address, usable));
    known
}

/// A block that was about to be given back is kept.
pub(crate) fn kept(address: usize, size: usize) {
    if CAPACITY.load(Relaxed) > 0 {
        let allocated = ALLOCATED.load(Relaxed);
        obtained(address, size);
        ALLOCATED.store(allocated, Relaxed);
    }
}

/// Puts a block into the table and counts it.
fn put_in(address: usize, size: usize) {
    // SAFETY: `with_table` makes the calling thread the only one that uses the table.
    unsafe { insert(address, size) };
    let live = LIVE.load(Relaxed);
    let live = live.saturating_add(i64::try_from(size).unwrap_or(i64::MAX));
    LIVE.store(live, Relaxed);
    if live > HIGHEST.load(Relaxed) {
        HIGHEST.store(live, Relaxed);
    }
    ALLOCATED.store(ALLOCATED.load(Relaxed) + size as u64, Relaxed);
}

/// Takes a block out of the table. Returns its size, if it is known.
fn take_out(address: usize, usable: i64) -> Option<usize> {
    // SAFETY: as in `put_in`.
    let known = unsafe { remove(address) };
    let size = known.map_or(usable, |size| i64::try_from(size).unwrap_or(i64::MAX));
    LIVE.store(LIVE.load(Relaxed) - size, Relaxed);
    known
}

/// Times that a thread yields the processor to the thread that uses the table. After that, the
/// thread is probably gone: this process is a copy that has only one of the threads.
const PATIENCE: u32 = 100_000;

/// Runs `body` while no other thread uses the table.
fn with_table(body: impl FnOnce()) {
    if !threads::are_many() {
        return body();
    }
    for _ in 0..PATIENCE {
        if LOCKED
            .compare_exchange_weak(false, true, Acquire, Relaxed)
            .is_ok()
        {
            // The table may have been given up meanwhile.
            if CAPACITY.load(Relaxed) > 0 {
                body();
            }
            LOCKED.store(false, Release);
            return;
        }
        // SAFETY: `sched_yield` has no preconditions.
        unsafe { libc::sched_yield() };
    }
    CAPACITY.store(0, Relaxed);
}

/// The first slot of an address: multiplication by 2^64 divided by the golden ratio spreads the
/// addresses (Knuth, "The Art of Computer Programming" 3, 6.4).
fn home(address: usize, capacity: usize) -> usize {
    let hash = (address as u64 >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(hash >> 32).unwrap_or(0) & (capacity - 1)
}

/// # Safety
///
/// No other thread uses the table, and there is one.
unsafe fn insert(address: usize, size: usize) {
    if USED.load(Relaxed) * 2 >= CAPACITY.load(Relaxed) {
        // SAFETY: the caller's contract.
        unsafe { grow() };
    }
    let (slots, capacity) = (SLOTS.load(Relaxed), CAPACITY.load(Relaxed));
    if capacity == 0 {
        return;
    }
    // SAFETY: the caller's contract; a quarter of the slots or more is empty.
    if unsafe { put(slots, capacity, Slot { address, size }) } {
        USED.store(USED.load(Relaxed) + 1, Relaxed);
    }
}

/// Puts a block into its slot. Returns whether the slot was empty.
///
/// # Safety
///
/// `slots` are `capacity` slots, of which one is empty, and no other thread uses them.
unsafe fn put(slots: *mut Slot, capacity: usize, block: Slot) -> bool {
    let mut at = home(block.address, capacity);
    loop {
        // SAFETY: `at` is below the capacity.
        let slot = unsafe { &mut *slots.add(at) };
        let is_empty = slot.address == 0;
        if is_empty || slot.address == block.address {
            *slot = block;
            return is_empty;
        }
        at = (at + 1) & (capacity - 1);
    }
}

/// Takes a block out of the table, and returns its size.
///
/// # Safety
///
/// No other thread uses the table, and there is one.
unsafe fn remove(address: usize) -> Option<usize> {
    let (slots, capacity) = (SLOTS.load(Relaxed), CAPACITY.load(Relaxed));
    // SAFETY: every index is below the capacity, and only the calling thread uses the slots.
    let slot = |at: usize| unsafe { &mut *slots.add(at) };
    let next = |at: usize| (at + 1) & (capacity - 1);
    let mut at = home(address, capacity);
    while slot(at).address != address {
        if slot(at).address == 0 {
            return None;
        }
        at = next(at);
    }
    let size = slot(at).size;
    // A later block fills the gap, unless its first slot lies behind the gap (Knuth, algorithm 6.4R).
    let mut later = next(at);
    while slot(later).address != 0 {
        let from = home(slot(later).address, capacity);
        let distance = |from: usize, to: usize| to.wrapping_sub(from) & (capacity - 1);
        if distance(from, later) >= distance(at, later) {
            *slot(at) = *slot(later);
            at = later;
        }
        later = next(later);
    }
    slot(at).address = 0;
    USED.store(USED.load(Relaxed) - 1, Relaxed);
    Some(size)
}

/// Doubles the table. Without memory for that, the table is given up.
///
/// # Safety
///
/// No other thread uses the table, and there is one.
unsafe fn grow() {
    let (old, before) = (SLOTS.load(Relaxed), CAPACITY.load(Relaxed));
    rss::outside_of_peak(|| {
        let slots = map(before * 2);
        if slots.is_null() {
            CAPACITY.store(0, Relaxed);
        } else {
            for at in 0..before {
                // SAFETY: `at` is below the old capacity; the new slots are more than the old.
                unsafe {
                    let block = *old.add(at);
                    if block.address != 0 {
                        put(slots, before * 2, block);
                    }
                }
            }
            SLOTS.store(slots, Relaxed);
            CAPACITY.store(before * 2, Relaxed);
        }
        unmap(old, before);
    });
}

/// Maps so many empty slots, all of them resident; null if the system refuses.
fn map(capacity: usize) -> *mut Slot {
    #[cfg(target_os = "linux")]
    let populated = libc::MAP_POPULATE;
    #[cfg(not(target_os = "linux"))]
    let populated = 0;
    // SAFETY: the system chooses the address, so the new mapping replaces no memory in use.
    let slots = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            capacity * size_of::<Slot>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | populated,
            -1,
            0,
        )
    };
    if slots == libc::MAP_FAILED {
        std::ptr::null_mut()
    } else {
        slots.cast()
    }
}

fn unmap(slots: *mut Slot, capacity: usize) {
    // SAFETY: `map` has made the mapping with this size, and nothing refers to it any more.
    unsafe { mapped::unmap(slots.cast(), capacity * size_of::<Slot>()) };
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    /// There is one table in the process.
    static ONE: Mutex<()> = Mutex::new(());

    fn only() -> std::sync::MutexGuard<'static, ()> {
        let guard = ONE
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        threads::set_many(false);
        start();
        guard
    }

    #[test]
    fn the_peak_is_that_of_the_requests() {
        let _only = only();
        obtained(0x1000, 10);
        obtained(0x2000, 5);
        assert_eq!(given_back(0x1000, 24), Some(10));
        obtained(0x3000, 7);
        // A block from before the run: only its usable size is known.
        assert_eq!(given_back(0x4000, 24), None);
        let expected = Requested {
            peak: 15,
            allocated: 22,
        };
        assert_eq!(counts(), Some(expected));
        stop();
        assert_eq!(counts(), None);
    }

    #[test]
    fn a_table_that_grows_forgets_nothing() {
        let _only = only();
        let blocks = FIRST_CAPACITY * 3;
        for at in 1..=blocks {
            obtained(at * 16, at);
        }
        assert_eq!(
            resident_bytes(),
            (FIRST_CAPACITY * 8 * size_of::<Slot>()) as u64
        );
        for at in 1..=blocks {
            assert_eq!(given_back(at * 16, 0), Some(at));
        }
        let sum = blocks * (blocks + 1) / 2;
        assert_eq!(counts().unwrap().peak, sum as u64);
        stop();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_table_is_a_map(steps in prop::collection::vec((0..300usize, 1..100usize, any::<bool>()), 1..2000)) {
            let _only = only();
            let mut model = HashMap::new();
            for (block, size, is_new) in steps {
                // Few first slots, so that many blocks share them.
                let address = (block + 1) << 40 | 16;
                if is_new && !model.contains_key(&address) {
                    obtained(address, size);
                    model.insert(address, size);
                } else {
                    prop_assert_eq!(given_back(address, 0), model.remove(&address));
                }
            }
            stop();
        }
    }
}
