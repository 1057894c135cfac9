//! Copies of this process: forks that have all its threads.
//!
//! `fork` alone copies the calling thread. If there are others, `memit_threads` stops them, and makes
//! them again in the copy. No thread is stopped within `malloc`, so both processes may allocate
//! meanwhile. A copy gets queues of its own, by which the system wakes its threads.

use std::fmt::{self, Display, Formatter};
use std::io;

use memit_process::process;
use memit_threads::{Alone, Forked, StopOptions, Stopped};

#[cfg(target_os = "linux")]
use crate::outside::Queues;
use crate::{heap, threads};

/// Why this process cannot be copied.
#[derive(Debug)]
pub enum NoCopy {
    /// The system has refused something.
    Refused(io::Error),
    /// The threads cannot be copied.
    Threads(memit_threads::Error),
}

impl Display for NoCopy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Threads(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for NoCopy {
    fn from(error: io::Error) -> Self {
        Self::Refused(error)
    }
}

impl From<memit_threads::Error> for NoCopy {
    fn from(error: memit_threads::Error) -> Self {
        Self::Threads(error)
    }
}

/// The other threads of this process, stopped until this value is dropped.
#[must_use = "the threads go on when this is dropped"]
pub(crate) struct Others(Option<Stopped>);

/// A copy of a process, which has the calling thread only.
#[must_use = "the copy has only one thread"]
pub struct Single(Option<Alone>);

/// The two processes behind a copy.
pub(crate) enum Copied {
    /// The process that has been copied, with the id of the copy. The other threads are still stopped.
    Original(libc::pid_t, Others),
    /// The copy.
    Copy(Single),
}

/// Finds out whether threads can be copied here. A process that is asked before it has grown answers
/// sooner, and its copies know the answer.
pub fn prepare() {
    // The error is told when there are threads to copy.
    let _ = memit_threads::check();
}

impl Others {
    /// Stops all other threads, if there are some.
    ///
    /// # Errors
    ///
    /// If a thread cannot be stopped, or cannot be copied.
    pub(crate) fn stop() -> Result<Self, NoCopy> {
        if process::threads(std::process::id()).unwrap_or(1) == 1 {
            return Ok(Self(None));
        }
        let checked = memit_threads::check()?;
        // SAFETY: the function reads variables of the calling thread, and nothing else.
        let options = unsafe { StopOptions::default().may_stop(may_stop) };
        Ok(Self(Some(checked.stop(&options)?)))
    }

    /// Copies this process.
    ///
    /// # Errors
    ///
    /// If the system refuses. The other threads go on then.
    pub(crate) fn copy(self) -> Result<Copied, NoCopy> {
        #[cfg(target_os = "linux")]
        let queues = Queues::now();
        let copied = self.fork()?;
        #[cfg(target_os = "linux")]
        if let Copied::Copy(_) = &copied {
            queues.set_apart();
        }
        Ok(copied)
    }

    fn fork(self) -> Result<Copied, NoCopy> {
        let Some(stopped) = self.0 else {
            // SAFETY: no other thread exists that could hold a lock which the fork would need.
            return match unsafe { libc::fork() } {
                -1 => Err(io::Error::last_os_error().into()),
                0 => Ok(Copied::Copy(Single(None))),
                copy => Ok(Copied::Original(copy, Self(None))),
            };
        };
        // SAFETY: a session is meant to be copied: a copy either measures, while the threads of the
        // original are stopped, or waits with no threads until the original has ended.
        Ok(match unsafe { stopped.fork() }? {
            Forked::Parent(copy, stopped) => Copied::Original(copy, Self(Some(stopped))),
            Forked::Child(alone) => Copied::Copy(Single(Some(alone))),
        })
    }
}

/// Whether the calling thread may be stopped where it is.
fn may_stop() -> bool {
    #[cfg(owner_hooks)]
    if !crate::mutexes::is_outside() {
        return false;
    }
    heap::is_outside()
}

impl Single {
    /// Makes all other threads again. They go on where they were stopped.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread. The process can only end itself then.
    pub fn begin_others(self) -> Result<(), NoCopy> {
        threads::set_copied(self.0.is_some());
        if let Some(alone) = self.0 {
            alone.revive()?;
        }
        Ok(())
    }
}
