//! The end of a process: noticed, and brought about.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

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
