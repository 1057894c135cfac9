//! The exact peak of this process's resident set size.
//!
//! Linux keeps a high-water mark (`VmHWM`). Writing `5` to `/proc/self/clear_refs` sets it back
//! to the current size (proc_pid_clear_refs(5)), so that after a run it is the run's own peak,
//! however short that peak was. No reading in between is needed.

use std::fs::File;
use std::io;
#[cfg(unix)]
use std::os::unix::fs::FileExt;

use crate::process::kibibytes;

/// Size and peak of the resident set, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Resident {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

/// Reads and resets the peak. Files are opened beforehand and text is read into a buffer of
/// its own, so that measuring adds nothing to what is measured.
#[cfg(target_os = "linux")]
pub(crate) struct PeakMeter {
    clear_refs: File,
    status: File,
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
            status: File::open("/proc/self/status")?,
        };
        meter.reset()?;
        Ok(meter)
    }

    /// Sets the peak to the current size.
    pub(crate) fn reset(&self) -> io::Result<()> {
        self.clear_refs.write_all_at(b"5", 0)
    }

    /// Current size and peak since the last reset.
    pub(crate) fn read(&self) -> io::Result<Resident> {
        let mut text = [0; 4096];
        let length = self.status.read_at(&mut text, 0)?;
        let text = &text[..length];
        let (Some(now), Some(peak)) = (kibibytes(text, b"VmRSS:"), kibibytes(text, b"VmHWM:"))
        else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "no VmRSS in /proc/self/status",
            ));
        };
        Ok(Resident { now, peak })
    }
}

/// Other systems have no peak that can be reset: [`crate::sampler`] takes its place.
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
