//! The memory that lines are charged with: live heap, or the system's figure.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use memit_process::process::{Smaps, SmapsFile};
use memit_process::resident;
use memit_session::abi::Backend;
use memit_session::lines::counters::Head;

use super::clock;
use super::clock::SyncPoint;
use crate::common::COMMON;
use crate::heap;
use crate::rss::PeakMeter;

/// Memory at a moment, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) now: i64,
    /// Highest since the last reading.
    pub(super) peak: i64,
}

/// Index of the backend that the measurement asks for; functions may ask for another.
static DEFAULT: AtomicUsize = AtomicUsize::new(0);
static CHILDREN: AtomicBool = AtomicBool::new(false);

pub(super) fn choose(backend: Backend, children: bool) {
    DEFAULT.store(backend.index(), Relaxed);
    CHILDREN.store(children, Relaxed);
}

/// Which memory a function is charged with.
pub(super) fn backend(function: &Head) -> Backend {
    if function.has_backend {
        function.backend
    } else {
        Backend::ALL[DEFAULT.load(Relaxed)]
    }
}

/// The memory that the lines of a function are charged with: the heap of its thread, or the memory
/// of the process.
pub(super) fn read(own: &Head) -> Level {
    match backend(own) {
        Backend::Heap => {
            let thread = own.thread();
            let now = thread.live.load(Relaxed);
            Level {
                now,
                peak: thread.peak.load(Relaxed).max(now),
            }
        }
        backend => of_process(backend),
    }
}

/// Memory of this process, as the system's figure `backend` defines it. The figure takes
/// microseconds to read, so it is read again only after a change of the heap or of the number of
/// page faults, or after a while.
pub(super) fn of_process(backend: Backend) -> Level {
    if let Some(now) = LAST.good(backend) {
        return Level { now, peak: now };
    }
    let read = || {
        let mut meter = METER.lock().unwrap_or_else(PoisonError::into_inner);
        meter.get_or_insert_with(Meter::open).read(backend)
    };
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    let level = super::registers::keeping_all(read);
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
    let level = read();
    level
}

/// Closes the open files, because a fork needs files of its own.
pub(super) fn reset() {
    *METER.lock().unwrap_or_else(PoisonError::into_inner) = None;
    LAST.forget();
}

/// The last level, for probes that follow within microseconds.
static LAST: Last = Last {
    backend: AtomicUsize::new(NO_BACKEND),
    now: AtomicI64::new(0),
    until: AtomicU64::new(0),
    live: AtomicI64::new(0),
    allocated: AtomicU64::new(0),
};

const NO_BACKEND: usize = usize::MAX;

struct Last {
    /// Index of the backend, or [`NO_BACKEND`].
    backend: AtomicUsize,
    now: AtomicI64,
    /// Time in ticks until which the level is good.
    until: AtomicU64,
    /// The live heap at the last reading.
    live: AtomicI64,
    allocated: AtomicU64,
}

impl Last {
    /// The level, if it is still good.
    fn good(&self, backend: Backend) -> Option<i64> {
        if self.backend.load(Relaxed) != backend.index()
            || clock::ticks() > self.until.load(Relaxed)
        {
            return None;
        }
        let counts = heap::counts();
        let allocated = counts.allocated - self.allocated.load(Relaxed);
        let changed = allocated.max(counts.live.abs_diff(self.live.load(Relaxed)));
        (changed < PAGE).then(|| self.now.load(Relaxed))
    }

    /// Keeps a level for this many ticks. Only one thread calls this at a time.
    fn keep(&self, backend: Backend, now: i64, ticks: u64) {
        let counts = heap::counts();
        self.now.store(now, Relaxed);
        self.live.store(counts.live, Relaxed);
        self.allocated.store(counts.allocated, Relaxed);
        self.until.store(clock::ticks() + ticks, Relaxed);
        self.backend.store(backend.index(), Relaxed);
    }

    fn forget(&self) {
        self.backend.store(NO_BACKEND, Relaxed);
    }
}

static METER: Mutex<Option<Meter>> = Mutex::new(None);

const PAGE: u64 = 4096;
/// Longest time for which a reading is good enough.
const INTERVAL: Duration = Duration::from_millis(1);
/// Longest time for which a reading is good enough without counting page faults: counting takes a
/// tenth of this time.
const FAULTS_INTERVAL: Duration = Duration::from_micros(5);

/// Reads the system's figures of this process.
struct Meter {
    /// Meter of the resident set size; `None` if the system has no exact peak.
    peak: Option<PeakMeter>,
    /// File with the other sizes.
    smaps: Option<SmapsFile>,
    /// When the meter was opened: the length of a tick is measured from then on.
    opened: SyncPoint,
    /// The last reading of each backend, in the order of [`Backend::ALL`].
    last: [Option<LastReading>; Backend::ALL.len()],
}

#[derive(Clone, Copy)]
struct LastReading {
    size: u64,
    at: Instant,
    /// Bytes allocated so far, and live bytes.
    heap: (u64, i64),
    /// Page faults so far.
    faults: u64,
}

impl Meter {
    fn open() -> Self {
        Self {
            peak: PeakMeter::open().ok(),
            smaps: SmapsFile::of_this_process().ok(),
            opened: SyncPoint::now(),
            last: [None; Backend::ALL.len()],
        }
    }

    fn read(&mut self, backend: Backend) -> Level {
        let counts = heap::counts();
        let heap = (counts.allocated, counts.live);
        let now = Instant::now();
        let faults = faults();
        let last = &self.last[backend.index()];
        let good = last.filter(|last| {
            let changed = (heap.0 - last.heap.0).max(heap.1.abs_diff(last.heap.1));
            changed < PAGE && last.faults == faults && now - last.at < INTERVAL
        });
        let (size, peak) = if let Some(last) = good {
            (last.size, last.size)
        } else {
            let (size, peak) = self.size(backend);
            self.last[backend.index()] = Some(LastReading {
                size,
                at: now,
                heap,
                faults,
            });
            (size, peak)
        };
        let (children, children_peak) = if CHILDREN.load(Relaxed) {
            let now = COMMON.children.load(Relaxed);
            (now, COMMON.children_peak.swap(now, Relaxed).max(now))
        } else {
            (0, 0)
        };
        let signed = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        let level = Level {
            now: signed(size + children),
            peak: signed(size.max(peak) + children_peak),
        };
        LAST.keep(backend, level.now, self.opened.ticks_in(FAULTS_INTERVAL));
        level
    }

    /// The size now, and the highest since the last reading.
    fn size(&self, backend: Backend) -> (u64, u64) {
        match backend {
            Backend::Heap | Backend::Rss => match &self.peak {
                Some(meter) => {
                    let resident = meter.read().unwrap_or_default();
                    // A peak that cannot be reset is an older peak.
                    let _ = meter.reset();
                    (resident.now, resident.peak)
                }
                None => (resident(), 0),
            },
            // Where the system does not tell these sizes, the resident set size is an upper bound.
            Backend::Pss => (self.smaps().map_or_else(resident, |smaps| smaps.pss), 0),
            Backend::Uss => (self.smaps().map_or_else(resident, |smaps| smaps.uss), 0),
        }
    }

    fn smaps(&self) -> Option<Smaps> {
        self.smaps.as_ref()?.read().ok()?
    }
}

/// Page faults of this process so far: resident memory does not grow without one.
fn faults() -> u64 {
    // SAFETY: all zeros is a valid `rusage`, a plain C struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live local.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    u64::try_from(usage.ru_minflt + usage.ru_majflt).unwrap_or(0)
}
