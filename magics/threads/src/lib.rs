//! Forks of a process with all its threads.
//!
//! `fork` copies only the thread that calls it. This crate copies all: each other thread is stopped
//! in a signal handler, the process is forked, and in the fork each thread is made anew on the copy
//! of its stack. The fork can have its threads at once, or wait for a while with one thread.
//!
//! ```text
//! A process
//!
//!     running --stop--> stopped --fork--> stopped (the parent)  --drop--> running
//!                          ^       |         |
//!                          |       |         +-- may fork again
//!                          |       |
//!                          |       +----> alone (the fork)     --revive--> running
//!                          |                 |                               |
//!                          |                 +--_exit                        |
//!                          +---------------------------stop------------------+
//!
//! A thread
//!
//!     runs --signal--> in the handler: may the thread stop where it is?
//!      ^ ^                |         |
//!      | |               no        yes
//!      | |                |         |
//!      | +--asked again---+      notes what a fork cannot copy, then parks:
//!      |                         waits until the epoch changes
//!      |                            |                  |
//!      |                            |               _Fork: a copy of the stack, and no thread
//!      |                            |                  |
//!      |                            |               clone: a new thread on this stack takes back
//!      |                            |               what was noted, then waits for the others
//!      |                            |                  |
//!      +-------sigreturn------------+------------------+
//!                                  the epoch changes
//! ```
//!
//! # What a thread is made of
//!
//! | part of a thread | how the fork gets it |
//! |---|---|
//! | stack, thread-local variables, glibc's descriptor, arena of `malloc` | memory, which `fork` copies |
//! | registers, blocked signals, alternate signal stack | the frame of the signal handler, to which `sigreturn` returns |
//! | id | new; Linux writes the id into glibc's descriptor, at a place that is found and checked in each thread |
//! | the word at which `pthread_join` waits | set by `clone`: where Linux says that it was before |
//! | name, processors, niceness and policy, timer slack, base of `gs` | noted in the handler, and set |
//! | restartable sequences, list of robust mutexes | registered anew |
//!
//! The calling thread becomes the main thread of the fork as far as Linux is concerned, with the id
//! of the process. `fork` keeps everything of this thread but the list of its robust mutexes, which
//! is put back.
//!
//! # What is not run
//!
//! Handlers of `pthread_atfork` do not run. They exist because `fork` loses the threads that hold
//! locks: the handlers take all locks before the fork, and reset locks and counters afterwards.
//! Here, the holder of a lock goes on in the fork and releases the lock. A handler that waited for
//! a lock of a stopped thread would wait for ever, and one that resets a lock would take the lock
//! away from its holder. For the same reason, `_Fork` of glibc is called and not `fork`. What a
//! handler does beyond this is missing: a random generator that seeds itself anew in a fork does
//! not.
//!
//! # System calls
//!
//! A system call in which a thread is stopped begins again when the thread goes on, in the parent
//! and in the fork. According to signal(7), some return with the error `EINTR` instead, whatever
//! the handler asks for: `nanosleep`, `usleep`, `sleep` (with the rest of the time), `poll`,
//! `select`, `epoll_wait`, `pause`, `sigsuspend`, `sigwaitinfo`, `msgrcv`, `msgsnd`, `semop`,
//! `io_getevents`, sockets with a time limit, and waits at a futex with a time limit. The standard
//! library, tokio and functions of glibc such as `pthread_cond_timedwait` wait on for the rest of
//! the time. C code that takes `EINTR` for a failure fails.
//!
//! # What cannot be copied
//!
//! Said in an [`Error`], with the name of the thread:
//!
//! - A thread that blocks the signal. The workers of `io_uring`, which Linux lists as threads, do
//!   so. The next stop does not wait for a thread that has blocked the signal all the time.
//! - A thread that waits where no signal arrives: for a process of `vfork`, or for a disk that does
//!   not answer.
//! - A thread that glibc has not started, or one with a shadow stack or with restartable sequences
//!   of its own.
//! - A thread that waits for a mutex which notes the id of its owner: recursive, error-checking,
//!   robust, or one that inherits priorities.
//!
//! Not noticed:
//!
//! - A lock that notes the id of its owner while a thread holds it: a recursive or error-checking
//!   mutex, one that inherits priorities, or a `pthread_rwlock_t` that is held for writing. In the
//!   fork, the thread has another id and cannot release the lock, unless hooks call
//!   [`take_over_mutex`] and [`take_over_rwlock`]. This concerns libraries in C and C++. The locks
//!   of the standard library, of `parking_lot`, of `malloc`, of streams of C and of the dynamic
//!   loader are not affected, and robust mutexes are handed over.
//! - Ids of threads that a program has kept, such as for `tgkill`.
//! - What no fork has: timers, signals that are pending, locks of files by `fcntl`, children, the
//!   outstanding requests of `io_uring` and of asynchronous input and output, contexts of GPUs,
//!   memory marked with `MADV_DONTFORK`.
//! - Settings of a single thread that others do not have: a filter of system calls, a namespace, a
//!   user, a folder, a table of files, a policy for memory.
//! - The parent and the fork share open files. Both take wake-ups from one epoll, eventfd or
//!   socket, so the threads of one of them should stay stopped, or the caller should give the fork
//!   queues of its own before [`Alone::revive`].
//!
//! A signal needs stack. A thread with a small alternate stack that runs a handler there already
//! may have no room for a second one: Linux needs up to 4 KiB where vector registers are large.
//!
//! # Example
//!
//! ```
//! use memit_threads::{Forked, StopOptions, check};
//!
//! let Ok(checked) = check() else {
//!     return Ok(());
//! };
//! let stopped = checked.stop(&StopOptions::default())?;
//! // SAFETY: the fork ends at once, and its threads do nothing that others would notice.
//! match unsafe { stopped.fork() }? {
//!     Forked::Child(alone) => {
//!         let revived = alone.revive();
//!         // SAFETY: destructors and exit handlers are the parent's to run.
//!         unsafe { libc::_exit(if revived.is_ok() { 0 } else { 1 }) }
//!     }
//!     Forked::Parent(pid, stopped) => {
//!         let mut status = 0;
//!         // SAFETY: the status is a live local.
//!         unsafe { libc::waitpid(pid, &raw mut status, 0) };
//!         drop(stopped);
//!         assert_eq!(status, 0);
//!     }
//! }
//! # Ok::<(), memit_threads::Error>(())
//! ```

mod error;
mod options;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
mod elsewhere;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod whole;

pub use error::{Error, Peculiarity, Refused, Silence, Step, Thread, Unsupported};
pub use options::StopOptions;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
pub use elsewhere::{Alone, Checked, Forked, Stopped, check, take_over_mutex, take_over_rwlock};
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
pub use whole::{Alone, Checked, Forked, Stopped, check, take_over_mutex, take_over_rwlock};
