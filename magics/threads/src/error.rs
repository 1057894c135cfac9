//! Why a process cannot be forked with its threads.
//!
//! Nothing here allocates: an error is made while threads are stopped, and one of them may hold a
//! lock of `malloc`.

use std::fmt::{self, Display, Formatter};
use std::io;

/// Why a process cannot be forked with its threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// This system lacks something, now and later.
    Unsupported(Unsupported),
    /// A thread has not stopped in time.
    NoAnswer {
        /// The thread that has not stopped. There may be more.
        thread: Thread,
        /// What keeps the thread from stopping.
        why: Silence,
    },
    /// A thread cannot be made again in the fork.
    Peculiar {
        /// The thread.
        thread: Thread,
        /// What is special about the thread.
        how: Peculiarity,
    },
    /// The process has more threads than can be counted: the limit.
    TooMany(usize),
    /// Another thread has stopped the threads of the process, and has not resumed them in time.
    Busy,
    /// The process uses all real-time signals itself.
    NoSignal,
    /// The system has refused something.
    Refused(Refused),
}

/// What a system lacks for forks with threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// Only Linux on x86-64 with glibc is supported.
    System,
    /// glibc is older than 2.34, and has no `_Fork`.
    NoFork,
    /// No field of glibc's thread descriptors holds the thread's id, or more than one field.
    Descriptor,
    /// A fork of a process with one more thread has failed: the step.
    Trial(Step),
}

/// A step of the trial that shows whether forks with threads work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To start a thread.
    Start,
    /// To stop the thread.
    Stop,
    /// To fork.
    Fork,
    /// To make the thread anew.
    Revive,
    /// To wait for the end of the thread.
    Join,
    /// Unknown, since the trial has crashed or hung.
    Unknown,
}

/// What keeps a thread from stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The thread blocks the signal with this number, by which threads are stopped.
    Blocks(i32),
    /// The thread waits in the system where no signal reaches it, such as for a process of `vfork`
    /// or for a disk.
    Uninterruptible,
    /// The thread is stopped by a debugger.
    Traced,
    /// The caller did not let the thread stop where it was.
    NotNow,
    /// The thread has had no time on a processor, or its state is unknown.
    Unknown,
}

/// What keeps a thread from being made again in a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peculiarity {
    /// The thread was not started by glibc, or glibc's description of the thread is not like that
    /// of other threads.
    Descriptor,
    /// The thread has registered restartable sequences that are not those of glibc.
    RestartableSequences,
    /// The thread has a shadow stack, which a fork cannot set.
    ShadowStack,
    /// The thread waits for a mutex that notes the id of its owner, and would take it with the id
    /// of before.
    Mutex,
}

/// A thread, as the system names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread {
    /// The id of the thread.
    pub id: u32,
    /// The name of the thread, padded with zeros.
    pub(crate) name: [u8; Thread::NAME],
}

impl Thread {
    /// Longest name of a thread in bytes, with the zero behind it.
    pub(crate) const NAME: usize = 16;

    /// The name of the thread; empty if it has none that is text.
    pub fn name(&self) -> &str {
        let bytes = self.name.split(|byte| *byte == 0).next();
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }
}

/// A system call that has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The name of the call.
    pub call: &'static str,
    /// The error's number.
    pub errno: i32,
}

impl std::error::Error for Error {}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(what) => what.fmt(f),
            Self::NoAnswer { thread, why } => write!(f, "{thread} cannot be stopped: {why}"),
            Self::Peculiar { thread, how } => write!(f, "{thread} cannot be copied: {how}"),
            Self::TooMany(most) => write!(f, "the process has more than {most} threads"),
            Self::Busy => f.write_str("another thread is copying the process"),
            Self::NoSignal => f.write_str("the process uses all real-time signals itself"),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

impl Display for Unsupported {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("threads can be copied only on Linux on x86-64 with glibc"),
            Self::NoFork => f.write_str("threads can be copied only with glibc 2.34 or newer"),
            Self::Descriptor => f.write_str("where this glibc keeps the id of a thread is unknown"),
            Self::Trial(step) => {
                write!(f, "a trial has shown that threads cannot be copied: {step}")
            }
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "no thread could be started",
            Self::Stop => "the thread did not stop",
            Self::Fork => "the process could not be forked",
            Self::Revive => "the thread could not be made again",
            Self::Join => "the end of the thread was not noticed",
            Self::Unknown => "the trial did not end well",
        })
    }
}

impl Display for Silence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocks(signal) => write!(f, "the thread blocks signal {signal}"),
            Self::Uninterruptible => f.write_str(
                "the thread waits where no signal reaches it, such as for a process of `vfork` or a disk",
            ),
            Self::Traced => f.write_str("a debugger has stopped the thread"),
            Self::NotNow => f.write_str("the thread was always busy with what must not be interrupted"),
            Self::Unknown => f.write_str("the thread does not answer"),
        }
    }
}

impl Display for Peculiarity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptor => "the thread was not started by glibc",
            Self::RestartableSequences => "the thread has restartable sequences of its own (rseq)",
            Self::ShadowStack => "the thread has a shadow stack",
            Self::Mutex => "the thread waits for a mutex that notes the id of its owner",
        })
    }
}

impl Display for Thread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.name() {
            "" => write!(f, "thread {}", self.id),
            name => write!(f, "the thread `{name}` ({})", self.id),
        }
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let error = io::Error::from_raw_os_error(self.errno);
        write!(f, "the system has refused `{}`: {error}", self.call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_thread_and_what_is_wrong() {
        let name = *b"worker\0\0\0\0\0\0\0\0\0\0";
        let thread = Thread { id: 17, name };
        let error = Error::NoAnswer {
            thread,
            why: Silence::Blocks(64),
        };
        assert_eq!(
            error.to_string(),
            "the thread `worker` (17) cannot be stopped: the thread blocks signal 64"
        );
        let nameless = Error::Peculiar {
            thread: Thread {
                id: 18,
                name: [0; 16],
            },
            how: Peculiarity::ShadowStack,
        };
        assert_eq!(
            nameless.to_string(),
            "thread 18 cannot be copied: the thread has a shadow stack"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_refusal_says_which_call_and_why() {
        let refused = Error::Refused(Refused {
            call: "clone",
            errno: libc::EAGAIN,
        });
        assert_eq!(
            refused.to_string(),
            "the system has refused `clone`: Resource temporarily unavailable (os error 11)"
        );
    }
}
