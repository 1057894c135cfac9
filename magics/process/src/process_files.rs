//! The files in which the system tells the memory of one process, kept open.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use memit_session::abi::Backend;

use crate::process::{field, kibibytes};

/// One reading of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Memory now, as the backend counts it.
    pub(super) memory: u64,
    /// What takes longer to read, if it was asked for.
    pub(super) more: Option<More>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct More {
    /// The highest resident set size since the process got its memory, by fork or `exec`.
    pub(super) high_water: u64,
    pub(super) threads: u64,
}

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Read(Reading),
    /// It has ended and nobody has waited for it yet, or it is a thread of the system's.
    NoMemory,
    Gone,
}

/// Room for the text of a file: `status` has about 1.5 KiB, and grows with the number of processors.
pub(super) type Text = [u8; 8192];

/// The files belong to the process and not to its number: after its end they cannot be read, even
/// if the number is another's by then.
pub(super) struct ProcessFiles {
    pid: u32,
    /// Sizes in pages, in a fifth of the time that `status` takes.
    statm: File,
    status: File,
    page: u64,
    backend: Backend,
    /// Told for the memory that the process had when this was opened: after an `exec` it must be
    /// opened again.
    rollup: Option<File>,
}

impl ProcessFiles {
    /// # Errors
    ///
    /// If there is no such process, or it may not be read.
    pub(super) fn open(pid: u32, backend: Backend) -> io::Result<Self> {
        let statm = File::open(format!("/proc/{pid}/statm"))?;
        let status = File::open(format!("/proc/{pid}/status"))?;
        let rollup = match backend {
            Backend::Heap => {
                let message = "the heap of another process cannot be read";
                return Err(io::Error::new(io::ErrorKind::Unsupported, message));
            }
            Backend::Rss => None,
            Backend::Pss | Backend::Uss => Some(open_rollup(pid)?),
        };
        Ok(Self {
            pid,
            statm,
            status,
            // SAFETY: `sysconf` has no preconditions.
            page: u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096),
            backend,
            rollup,
        })
    }

    pub(super) fn read(&mut self, with_more: bool, text: &mut Text) -> State {
        let (resident, more) = if with_more {
            let Ok(length) = self.status.read_at(text, 0) else {
                return State::Gone;
            };
            let status = &text[..length];
            let sizes = (kibibytes(status, b"VmRSS:"), kibibytes(status, b"VmHWM:"));
            let (Some(resident), Some(high_water)) = sizes else {
                return State::NoMemory;
            };
            let threads = field(status, b"Threads:").unwrap_or(1);
            (
                resident,
                Some(More {
                    high_water,
                    threads,
                }),
            )
        } else {
            let Ok(length) = self.statm.read_at(text, 0) else {
                return State::Gone;
            };
            match resident_pages(&text[..length]) {
                Some(pages) => (pages * self.page, None),
                None => return State::NoMemory,
            }
        };
        let memory = match self.backend {
            Backend::Heap | Backend::Rss => Some(resident),
            Backend::Pss | Backend::Uss => self.read_rollup(text),
        };
        memory.map_or(State::NoMemory, |memory| {
            State::Read(Reading { memory, more })
        })
    }

    fn read_rollup(&mut self, text: &mut Text) -> Option<u64> {
        let read = |file: &File, text: &mut Text| file.read_at(text, 0).ok().filter(|n| *n > 0);
        let length = self
            .rollup
            .as_ref()
            .and_then(|rollup| read(rollup, text))
            .or_else(|| {
                // The process was there a moment ago, so the number is still its own.
                self.rollup = open_rollup(self.pid).ok();
                read(self.rollup.as_ref()?, text)
            })?;
        let rollup = &text[..length];
        match self.backend {
            Backend::Heap | Backend::Rss => None,
            Backend::Pss => kibibytes(rollup, b"Pss:"),
            Backend::Uss => {
                // As psutil does.
                let parts = [
                    &b"Private_Clean:"[..],
                    b"Private_Dirty:",
                    b"Private_Hugetlb:",
                ];
                Some(
                    parts
                        .iter()
                        .filter_map(|part| kibibytes(rollup, part))
                        .sum(),
                )
            }
        }
    }
}

/// The second number of `statm`; nothing if the first, the size of all that is mapped, is 0.
fn resident_pages(statm: &[u8]) -> Option<u64> {
    let mut numbers = statm.split(|byte| *byte == b' ').map(|digits| {
        let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    });
    let mapped = numbers.next()?;
    numbers.next().filter(|_| mapped > 0)
}

fn open_rollup(pid: u32) -> io::Result<File> {
    File::open(format!("/proc/{pid}/smaps_rollup"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(backend: Backend) -> Reading {
        let mut files = ProcessFiles::open(std::process::id(), backend).unwrap();
        match files.read(true, &mut [0; 8192]) {
            State::Read(reading) => reading,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_shared_counts_less_in_each_backend() {
        let [rss, pss, uss] = [Backend::Rss, Backend::Pss, Backend::Uss].map(read);
        assert!(rss.memory <= rss.more.unwrap().high_water);
        assert!(uss.memory <= pss.memory, "{uss:?} {pss:?}");
        assert!(pss.memory <= pss.more.unwrap().high_water, "{pss:?}");
        assert!(uss.memory > 0);
    }

    #[test]
    fn a_process_that_has_ended_has_no_memory_and_then_is_gone() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let mut files = ProcessFiles::open(child.id(), Backend::Pss).unwrap();
        let mut text = [0; 8192];
        for with_more in [true, false] {
            assert!(matches!(files.read(with_more, &mut text), State::Read(_)));
        }
        let ended = crate::process::pidfd(child.id().cast_signed()).unwrap();
        child.kill().unwrap();
        crate::process::readable(&[std::os::fd::AsRawFd::as_raw_fd(&ended)], None).unwrap();
        for with_more in [true, false] {
            assert_eq!(files.read(with_more, &mut text), State::NoMemory);
        }
        child.wait().unwrap();
        for with_more in [true, false] {
            assert_eq!(files.read(with_more, &mut text), State::Gone);
        }
    }
}
