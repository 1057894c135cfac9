//! Signals to this process, read from a descriptor, and signals to others.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// A signal that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Its number.
    pub number: i32,
    /// A process sent it to this one. What the terminal sends, as for Ctrl-C, goes to all
    /// processes in its foreground.
    pub sent: bool,
}

/// Signals that no longer end this process, but wait to be read.
pub struct Signals {
    fd: OwnedFd,
    /// What was held back before.
    before: libc::sigset_t,
}

impl Signals {
    /// Holds back the signals, except those that this process was told to ignore, as by `nohup`.
    ///
    /// Call it before there is a second thread.
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

    /// What takes the hold away, for a program that inherits it. Does not allocate.
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

    /// The next signal that has come, if one has. Does not wait.
    pub fn next(&self) -> Option<Signal> {
        // SAFETY: plain data that is written before it is read, or not read.
        let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        let size = size_of_val(&info);
        // SAFETY: the buffer is live and of the size that is given.
        let read = unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut info).cast(), size) };
        (usize::try_from(read) == Ok(size)).then(|| Signal {
            number: info.ssi_signo.cast_signed(),
            // Positive codes are the kernel's own signals.
            sent: info.ssi_code <= 0,
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

/// Ends this process as the signal ends a process that does nothing about it: whoever waits for it
/// sees the signal. Returns if the signal does not end one.
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
