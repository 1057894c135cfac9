//! Short forks of the copy, in which code of the user runs behind a shield.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use memit_process::process;
use rustix::process::Pid;

use crate::fork::{self, ChildWatch};
use crate::shield::{self, Descriptors};

/// How a fork ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// All came to its end.
    Dropped,
    /// The code of the user has panicked.
    Panicked,
    /// The fork was ended because it took too long.
    TimedOut,
    /// This signal ended the fork.
    Signalled(i32),
    /// The code of the user has ended the fork with this exit code.
    Exited(i32),
    /// The system refused the shield, with this error: no code of the user has run.
    NotShielded(i32),
    /// The system refused a fork, with this error.
    Refused(i32),
}

impl End {
    /// A number for shared memory, which is never 0.
    pub(super) fn number(self) -> u64 {
        let (kind, detail) = match self {
            Self::Dropped => (1, 0),
            Self::Panicked => (2, 0),
            Self::TimedOut => (3, 0),
            Self::Signalled(number) => (4, number),
            Self::Exited(code) => (5, code),
            Self::NotShielded(errno) => (6, errno),
            Self::Refused(errno) => (7, errno),
        };
        kind | u64::from(detail.cast_unsigned()) << 8
    }

    /// The end with this number; `None` for 0.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        let detail = u32::try_from(number >> 8).ok()?.cast_signed();
        Some(match number & 0xff {
            1 => Self::Dropped,
            2 => Self::Panicked,
            3 => Self::TimedOut,
            4 => Self::Signalled(detail),
            5 => Self::Exited(detail),
            6 => Self::NotShielded(detail),
            7 => Self::Refused(detail),
            _ => return None,
        })
    }
}

/// Runs `body` in a fork of this process, which must have one thread and read-only shared memory. `said` tells after the fork how
/// `body` has ended, if it has: code of the user may end the fork before. `goes_on` is asked each time that
/// `patience` is over.
pub(super) fn run(
    patience: Duration,
    descriptors: Descriptors,
    body: impl FnOnce(),
    said: impl FnOnce() -> Option<End>,
    mut goes_on: impl FnMut() -> bool,
) -> End {
    // SAFETY: this process has one thread and holds no lock.
    let pid = unsafe { fork_alone() };
    if pid == 0 {
        let code = enter(descriptors, body);
        // SAFETY: `_exit` has no preconditions. Destructors and exit handlers are the session's to run.
        unsafe { libc::_exit(code) }
    }
    let Some(child) = Pid::from_raw(pid).filter(|_| pid > 0) else {
        return End::Refused(errno(&io::Error::last_os_error()));
    };
    let watch = ChildWatch::new(child);
    let mut timed_out = false;
    while !watch.ended(Some(patience)).unwrap_or(true) {
        if !goes_on() {
            timed_out = true;
            break;
        }
    }
    if timed_out {
        let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
    }
    let waited = process::wait(child);
    if timed_out {
        return End::TimedOut;
    }
    match waited {
        Ok(waited) => match (waited.status.code(), said()) {
            (Some(NOT_SHIELDED), None) => End::NotShielded(libc::EPERM),
            (Some(_), Some(end)) => end,
            (Some(code), None) => End::Exited(code),
            (None, _) => End::Signalled(waited.status.signal().unwrap_or(0)),
        },
        Err(error) => End::Refused(errno(&error)),
    }
}

/// The exit code of a fork without a shield: none that a program would choose.
const NOT_SHIELDED: i32 = 0x6e;

fn enter(descriptors: Descriptors, body: impl FnOnce()) -> i32 {
    fork::end_with_parent();
    without_core();
    if shield::filter_calls(descriptors).is_err() {
        return NOT_SHIELDED;
    }
    body();
    0
}

/// Lets the system write no file when this process crashes.
fn without_core() {
    // SAFETY: the call takes numbers only.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0)
    };
}

pub(super) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// Forks without waiting for locks: this process may be a copy of one with threads, which have held some.
///
/// # Safety
///
/// The process must have one thread.
unsafe fn fork_alone() -> libc::pid_t {
    type Fork = unsafe extern "C" fn() -> libc::pid_t;
    // Only newer versions of glibc have the function.
    // SAFETY: the name is a C string.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_Fork".as_ptr()) };
    // SAFETY: a function of this name has this type, and a null pointer is `None`.
    let function = unsafe { std::mem::transmute::<*mut libc::c_void, Option<Fork>>(function) };
    // SAFETY: the caller's contract.
    unsafe { function.map_or_else(|| libc::fork(), |fork| fork()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_survives_as_a_number() {
        for end in [
            End::Dropped,
            End::Panicked,
            End::TimedOut,
            End::Signalled(6),
            End::Exited(-1),
            End::NotShielded(1),
            End::Refused(12),
        ] {
            assert_eq!(End::from_number(end.number()), Some(end));
        }
        assert_eq!(End::from_number(0), None);
    }
}
