//! The end of a process: noticed, and brought about.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal};

use super::descendants;

/// A descriptor that becomes readable when the process `pid` ends. Unlike the number, it never
/// means another process.
///
/// # Errors
///
/// If there is no such process.
#[cfg(target_os = "linux")]
pub fn pidfd(pid: i32) -> io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    let pid = number(pid.cast_unsigned()).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Ends the process of a [`pidfd`]. One that has ended already is no error.
#[cfg(target_os = "linux")]
pub fn end_by_pidfd(pidfd: impl AsFd) {
    let _ = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
}

/// Ends the process `pid`. One that has ended already is no error.
pub fn end(pid: u32) {
    if let Some(pid) = number(pid) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

/// Ends the process `pid` and everything that it has started.
pub fn end_with_descendants(pid: u32) {
    // The descendants first: without the process they would be nobody's.
    for process in descendants(pid).into_iter().chain([pid]) {
        end(process);
    }
}

/// The number as the system takes it; `None` if no process can have it.
pub fn number(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// How a child ended, and the highest resident set size in bytes of its life. A child that has waited
/// for children of its own may owe the size to one of them.
#[derive(Debug, Clone, Copy)]
pub struct Waited {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// See [`Waited`].
    pub max_rss: u64,
}

/// Waits for the end of a child, and reaps it.
///
/// # Errors
///
/// If the process is not a child, or somebody else has waited for it.
pub fn wait(pid: Pid) -> io::Result<Waited> {
    let mut status = 0;
    // SAFETY: all zeros is a valid `rusage`, a plain C struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // rustix has no `wait` that also reports the usage.
    // SAFETY: both pointers are to live locals.
    while unsafe { libc::wait4(pid.as_raw_pid(), &raw mut status, 0, &raw mut usage) } == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok(Waited {
        status: ExitStatus::from_raw(status),
        max_rss: u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit,
    })
}
