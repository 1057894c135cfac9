//! Stopped threads, forks of the process, and forks that have their threads again.

use std::marker::PhantomData;
use std::time::Instant;

use crate::{Error, StopOptions};

use super::glibc::Glibc;
use super::owners;
use super::revive::revive;
use super::robust::{Kept, RobustList};
use super::stop::{PATIENCE, Stop};
use super::system::{refused, thread_id};
use super::turn::Turn;

/// The proof that this process can be forked with its threads: see [`check`](super::check).
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    glibc: Glibc,
}

impl Checked {
    pub(super) fn new(glibc: Glibc) -> Self {
        Self { glibc }
    }

    /// Stops all other threads of this process, until the value is dropped.
    ///
    /// While threads are stopped, the caller must not wait for anything that another thread holds.
    /// A stopped thread may hold any lock, also those of `malloc` and of the standard library.
    /// [`StopOptions::may_stop`] can exclude some.
    ///
    /// # Errors
    ///
    /// If a thread does not stop in time, or could not be made again in a fork. All threads go on
    /// then.
    pub fn stop(&self, options: &StopOptions) -> Result<Stopped, Error> {
        // A stop of another thread may take as long as this one.
        let turn = Turn::take(Instant::now() + options.limit * PATIENCE)?;
        self.stop_in_turn(options, turn)
    }

    pub(super) fn stop_in_turn(&self, options: &StopOptions, turn: Turn) -> Result<Stopped, Error> {
        let stop = Stop::all_others(options)?;
        let place_of_id = stop.place_of_id()?;
        Ok(Stopped {
            turn,
            stop,
            place_of_id,
            glibc: self.glibc,
            not_send: PhantomData,
        })
    }
}

/// All other threads of the process are stopped. They go on when this value is dropped.
#[derive(Debug)]
#[must_use = "the threads go on when this is dropped"]
pub struct Stopped {
    // First the turn, then the threads go on: one of them may have been stopped while it waited for
    // its turn, and find that its time is over.
    turn: Turn,
    stop: Stop,
    place_of_id: usize,
    glibc: Glibc,
    /// The thread that stops others is the one that forks.
    not_send: PhantomData<*const ()>,
}

/// The two processes behind a fork.
#[derive(Debug)]
pub enum Forked {
    /// In the process that has forked: the id of the fork. The threads are still stopped.
    Parent(libc::pid_t, Stopped),
    /// In the fork.
    Child(Alone),
}

impl Stopped {
    /// Number of the stopped threads.
    pub fn threads(&self) -> usize {
        self.stop.parked().count()
    }

    /// Forks the process. The fork has the calling thread only, until [`Alone::revive`]. The parent
    /// may fork again while the threads are stopped.
    ///
    /// # Errors
    ///
    /// If the system refuses. The threads go on then.
    ///
    /// # Safety
    ///
    /// The threads of the fork go on with everything that the parent's threads were doing, and both
    /// use what the two processes share: memory that is mapped as shared, open files, and the
    /// processes of the outside. The program must be able to bear this.
    pub unsafe fn fork(self) -> Result<Forked, Error> {
        let caller = Caller::this_thread();
        // SAFETY: `_Fork` may be called whatever locks are held, since it takes none. By the
        // caller's contract, the program bears a copy of itself.
        match unsafe { (self.glibc.fork)() } {
            -1 => {
                // SAFETY: glibc's variable of this thread.
                let errno = unsafe { *libc::__errno_location() };
                Err(refused("fork", -(errno as isize)))
            }
            0 => Ok(Forked::Child(Alone {
                stopped: self,
                caller,
            })),
            child => Ok(Forked::Parent(child, self)),
        }
    }
}

/// A fork in which only the calling thread exists.
///
/// The process has a copy of everything else, so any lock may be held by a thread that does not
/// exist: the process must not allocate, and must call nothing that takes a lock.
#[derive(Debug)]
#[must_use = "the process has only one thread"]
pub struct Alone {
    stopped: Stopped,
    caller: Caller,
}

impl Alone {
    /// Makes all threads again. They go on where they were stopped.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread. Some threads are missing then, and what exists of them
    /// waits: the process can only end itself, by `_exit`.
    pub fn revive(self) -> Result<(), Error> {
        let Stopped {
            turn,
            stop,
            place_of_id,
            glibc,
            ..
        } = self.stopped;
        owners::remember(self.caller.id);
        let new_id = thread_id();
        if let Some(robust) = self.caller.robust {
            robust.restore(self.caller.id, new_id);
        }
        // SAFETY: this process is a fork, and only `self` can make threads of the stop.
        let revived = unsafe { revive(&stop, place_of_id, glibc.loader, (self.caller.id, new_id)) };
        if let Err(error) = revived {
            // The threads that exist must not go on without the others.
            stop.forget();
            return Err(error);
        }
        // In this order: see `Stopped`.
        drop(turn);
        drop(stop);
        Ok(())
    }
}

/// What the calling thread loses in a fork.
#[derive(Debug)]
struct Caller {
    id: u32,
    /// `_Fork` gives the fork an empty list.
    robust: Option<Kept>,
}

impl Caller {
    fn this_thread() -> Self {
        Self {
            id: thread_id(),
            robust: RobustList::of_this_thread().keep(),
        }
    }
}
