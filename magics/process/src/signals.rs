//! Signals to this process, read from a descriptor, and the end by a signal.
//!
//! rustix has neither signal masks nor `signalfd`: both belong to a process as a whole, where libc
//! may have plans of its own. So this is libc, and unsafe.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd};

/// A signal that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// The number of the signal.
    pub number: i32,
    /// Whether a process sent the signal to this one. The terminal, as on Ctrl-C, sends to every
    /// process in its foreground instead.
    pub sent: bool,
}

/// Signals that no longer end this process, but wait to be read.
pub struct Signals {
    fd: OwnedFd,
    /// The signals that were held back before.
    before: libc::sigset_t,
}

impl Signals {
    /// Holds back the signals, except those that this process ignores, as under `nohup`.
    ///
    /// Must be called before there is a second thread.
    ///
    /// # Errors
    ///
    /// If the system gives no descriptor.
    pub fn hold(numbers: &[i32]) -> io::Result<Self> {
        // SAFETY: a set of signals is plain data, which `sigemptyset` fills; the others are called
        // with a live set.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for number in numbers
                .iter()
                .copied()
                .filter(|number| !is_ignored(*number))
            {
                libc::sigaddset(&raw mut set, number);
            }
            let mut before = std::mem::zeroed();
            if libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before) != 0 {
                return Err(io::Error::last_os_error());
            }
            let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if fd == -1 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self {
                fd: OwnedFd::from_raw_fd(fd),
                before,
            })
        }
    }

    /// A function that lets the signals through again, for a program that inherits the mask. The
    /// function does not allocate.
    pub(super) fn release(&self) -> impl Fn() + Send + Sync + 'static {
        let before = self.before;
        move || {
            // SAFETY: a live set, filled by `hold`.
            unsafe {
                let before = &raw const before;
                libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut())
            };
        }
    }

    /// Stops this process as Ctrl-Z does, until a signal continues it.
    pub fn stop(&self) {
        // SAFETY: calls with a live, filled set. The default action of the signal, which nobody handles
        // here, runs no code of this process.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGTSTP);
            libc::raise(libc::SIGTSTP);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
            // Continued.
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        }
    }

    /// The next signal that has arrived, if any. Does not wait.
    pub fn next(&self) -> Option<Signal> {
        type Info = libc::signalfd_siginfo;
        let mut info = [0; size_of::<Info>()];
        let length = rustix::io::read(&self.fd, &mut info).ok()?;
        let word = |offset: usize| {
            let bytes = info.get(offset..)?.first_chunk()?;
            Some(i32::from_ne_bytes(*bytes))
        };
        (length == info.len()).then_some(())?;
        Some(Signal {
            number: word(offset_of!(Info, ssi_signo))?,
            // Positive codes are the kernel's own signals.
            sent: word(offset_of!(Info, ssi_code))? <= 0,
        })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn is_ignored(number: i32) -> bool {
    // SAFETY: plain data, filled by the call, which changes nothing.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Ends this process by the default action of the signal, so that whoever waits for the process sees
/// the signal. Returns if the default action is not to end.
pub fn end_by(number: i32) {
    // SAFETY: calls with live, filled sets; the default action runs no code of this process.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, number);
        libc::signal(number, libc::SIG_DFL);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        libc::raise(number);
    }
}
