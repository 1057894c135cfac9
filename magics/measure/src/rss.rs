//! The exact peak of this process's resident set size.
//!
//! Linux keeps a high-water mark (`VmHWM`). Writing `5` to `/proc/self/clear_refs` sets the mark
//! back to the current size (`proc_pid_clear_refs(5)`). After a run, the mark is therefore the
//! run's own peak, however short that peak was.
//!
//! Since Linux 6.2, giving memory back raises the mark from counters that lack up to 32 pages on
//! each processor, while memory that is still held is counted exactly. The heap hooks therefore
//! call [`note_peak`] before they give back memory at a peak.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
#[cfg(target_os = "linux")]
use std::os::unix::fs::FileExt as _;

#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

#[cfg(target_os = "linux")]
use memit_process::process::{Status, StatusFile};

/// The environment variable that asks for a less exact source of a peak: `maxrss` or `sampled`.
pub(crate) const ASKED: &str = "MEMIT_PEAK_SOURCE";

/// Size and peak of the resident set, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Resident {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

/// Reads and resets the peak. Opens its files beforehand and reads text into a buffer of its own,
/// so that measuring adds nothing to the measured memory.
#[cfg(target_os = "linux")]
pub(crate) struct PeakMeter {
    clear_refs: File,
    status: StatusFile,
}

#[cfg(target_os = "linux")]
impl PeakMeter {
    /// Opens the files of the calling process: a fork needs a meter of its own.
    ///
    /// # Errors
    ///
    /// If `/proc` is missing or `clear_refs` may not be written.
    pub(crate) fn open() -> io::Result<Self> {
        let meter = Self {
            clear_refs: File::options().write(true).open("/proc/self/clear_refs")?,
            status: StatusFile::of_this_process()?,
        };
        meter.reset()?;
        Ok(meter)
    }

    /// Sets the peak to the current size.
    pub(crate) fn reset(&self) -> io::Result<()> {
        NOTED.store(0, Relaxed);
        CLEAR_REFS.store(self.clear_refs.as_raw_fd(), Relaxed);
        STATUS.store(self.status.as_fd().as_raw_fd(), Relaxed);
        self.clear_refs.write_all_at(b"5", 0)
    }

    /// Current size and peak since the last reset.
    pub(crate) fn read(&self) -> io::Result<Resident> {
        let resident = Resident::of(self.status.read()?)?;
        let peak = resident.peak.max(NOTED.load(Relaxed));
        Ok(Resident { peak, ..resident })
    }
}

#[cfg(target_os = "linux")]
impl Drop for PeakMeter {
    fn drop(&mut self) {
        STATUS.store(-1, Relaxed);
    }
}

#[cfg(target_os = "linux")]
impl Resident {
    fn of(status: Status) -> io::Result<Self> {
        match (status.resident, status.peak) {
            (Some(now), Some(peak)) => Ok(Self {
                now: without_ours(now),
                peak: without_ours(peak),
            }),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// The meter's status file, for [`note_peak`]; -1 when there is no meter.
#[cfg(target_os = "linux")]
static STATUS: AtomicI32 = AtomicI32::new(-1);
/// The meter's other file.
#[cfg(target_os = "linux")]
static CLEAR_REFS: AtomicI32 = AtomicI32::new(-1);
/// Largest size that [`note_peak`] has read since the last reset.
#[cfg(target_os = "linux")]
static NOTED: AtomicU64 = AtomicU64::new(0);

/// Keeps the exact size of this moment, if no size is larger. The heap hooks call this, so it does
/// not allocate.
#[cfg(heap_hooks)]
pub(crate) fn note_peak() {
    let fd = STATUS.load(Relaxed);
    if fd < 0 {
        return;
    }
    // SAFETY: `STATUS` names the file of a meter, which sets `STATUS` to -1 before it closes the
    // file.
    let status = unsafe { BorrowedFd::borrow_raw(fd) };
    if let Ok(status) = StatusFile::read_from(status) {
        NOTED.fetch_max(without_ours(status.resident.unwrap_or(0)), Relaxed);
    }
}

/// Changes memory that readings leave out, which is memory of ours. `change` must not allocate.
#[cfg(target_os = "linux")]
pub(crate) fn outside_of_peak(change: impl FnOnce()) {
    let (status, clear_refs) = (STATUS.load(Relaxed), CLEAR_REFS.load(Relaxed));
    if status < 0 {
        return change();
    }
    // SAFETY: both descriptors are those of a meter, which sets `STATUS` to -1 before it closes them.
    let (status, clear_refs) = unsafe {
        (
            BorrowedFd::borrow_raw(status),
            BorrowedFd::borrow_raw(clear_refs),
        )
    };
    let peak = StatusFile::read_from(status)
        .ok()
        .and_then(|status| status.peak);
    NOTED.fetch_max(without_ours(peak.unwrap_or(0)), Relaxed);
    change();
    let _ = rustix::io::pwrite(clear_refs, b"5", 0);
}

/// A reading of the resident memory, without memory of ours.
#[cfg(target_os = "linux")]
fn without_ours(resident: u64) -> u64 {
    resident.saturating_sub(crate::requested::resident_bytes())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn outside_of_peak(change: impl FnOnce()) {
    change();
}

/// Other systems have no peak that can be reset: [`crate::sampling_thread`] takes the place of
/// this.
#[cfg(not(target_os = "linux"))]
pub(crate) struct PeakMeter;

#[cfg(not(target_os = "linux"))]
impl PeakMeter {
    pub(crate) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn reset(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn read(&self) -> io::Result<Resident> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl PeakMeter {
    /// [`Self::open`], unless [`ASKED`] asks for a less exact source of the peak.
    pub(crate) fn open_if_wanted() -> Option<Self> {
        let asked = std::env::var(ASKED).unwrap_or_default();
        let is_lesser = ["maxrss", "sampled"].contains(&asked.as_str());
        (!is_lesser).then(Self::open)?.ok()
    }
}
