//! Restartable sequences: glibc registers an area of each thread, in which Linux notes the
//! processor that the thread runs on.
//!
//! A fork inherits the registration of the thread that forks. A thread made anew has none, while
//! its copy of the area says that it has one, so the area is registered again.

use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::system::call;

/// How glibc registers the area of a thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rseq {
    /// From the thread pointer to the area, in bytes.
    pub(super) offset: isize,
    /// The size of the area's features in bytes.
    pub(super) size: u32,
    /// The flags of the registration.
    pub(super) flags: u32,
}

/// What a thread has registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registration {
    Nothing,
    /// The area of glibc.
    Glibc,
    /// Another area, whose place is unknown.
    Foreign,
}

/// The area, as Linux declares it.
#[repr(C, align(32))]
struct Area {
    cpu_id_start: AtomicU32,
    /// Below zero unless the area is registered.
    cpu_id: AtomicI32,
    sequence: AtomicU64,
    flags: AtomicU32,
    rest: [u32; 3],
}

/// The number in front of each abort handler on x86.
const SIGNATURE: usize = 0x5305_3053;
/// The size with which Linux began; glibc registers no fewer bytes.
const SMALLEST: u32 = 32;
const UNREGISTER: usize = 1;
const NOT_YET: i32 = -1;
const FAILED: i32 = -2;

impl Rseq {
    fn area(&self, thread_pointer: usize) -> &Area {
        let area = thread_pointer.wrapping_add_signed(self.offset);
        // SAFETY: glibc has reserved an area for each thread at this offset, and gives it an
        // alignment of 32. All fields that change are atomic.
        unsafe { &*std::ptr::with_exposed_provenance(area) }
    }

    /// Whether glibc has registered the area of a thread.
    fn is_registered(&self, thread_pointer: usize) -> bool {
        self.area(thread_pointer).cpu_id.load(Relaxed) >= 0
    }

    /// Registers the area of the calling thread, which has no registration.
    pub(super) fn register(&self, thread_pointer: usize) {
        let area = self.area(thread_pointer);
        area.cpu_id_start.store(0, Relaxed);
        area.cpu_id.store(NOT_YET, Relaxed);
        area.sequence.store(0, Relaxed);
        area.flags.store(0, Relaxed);
        let size = self.size.max(SMALLEST) as usize;
        if !rseq(area, size, self.flags as usize) {
            // What glibc says if Linux refuses: the thread goes on without.
            area.cpu_id.store(FAILED, Relaxed);
        }
    }
}

/// What the calling thread has registered.
pub(super) fn registration(rseq: Option<&Rseq>, thread_pointer: usize) -> Registration {
    if rseq.is_some_and(|rseq| rseq.is_registered(thread_pointer)) {
        return Registration::Glibc;
    }
    if is_free() {
        Registration::Nothing
    } else {
        Registration::Foreign
    }
}

/// Whether the calling thread has no registration, found out by registering an area for a moment.
fn is_free() -> bool {
    let area = Area {
        cpu_id_start: AtomicU32::new(0),
        cpu_id: AtomicI32::new(NOT_YET),
        sequence: AtomicU64::new(0),
        flags: AtomicU32::new(0),
        rest: [0; 3],
    };
    match rseq_result(&area, size_of::<Area>(), 0) {
        0 => {
            rseq(&area, size_of::<Area>(), UNREGISTER);
            true
        }
        // Linux does not know the call, or may not be asked.
        error => error == -(libc::ENOSYS as isize) || error == -(libc::EPERM as isize),
    }
}

fn rseq(area: &Area, size: usize, flags: usize) -> bool {
    rseq_result(area, size, flags) == 0
}

fn rseq_result(area: &Area, size: usize, flags: usize) -> isize {
    let area = std::ptr::from_ref(area).expose_provenance();
    // SAFETY: the area lives as long as it is registered: glibc's as long as its thread, the one of
    // `is_free` until the end of that function.
    unsafe { call(libc::SYS_rseq, [area, size, flags, SIGNATURE, 0, 0]) }
}
