//! The memory of one process, read again and again as one backend counts it.

use std::io;

use memit_session::abi::Backend;

use crate::process::{Smaps, SmapsFile, StatmFile, StatusFile};

/// One reading of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Memory now, as the backend counts it.
    pub(super) memory: u64,
    /// `None` unless asked for.
    pub(super) more: Option<More>,
}

/// What takes longer to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct More {
    /// Highest resident set size since the process got its memory by `fork` or `exec`.
    pub(super) high_water: u64,
    pub(super) threads: u32,
}

/// What a reading finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Read(Reading),
    /// The process has ended and nobody has waited for it, or it is a thread of the kernel.
    NoMemory,
    Gone,
}

/// The files of one process.
pub(super) struct ProcessFiles {
    pid: u32,
    statm: StatmFile,
    status: StatusFile,
    backend: Backend,
    /// For the backends that need it.
    smaps: Option<SmapsFile>,
}

impl ProcessFiles {
    /// # Errors
    ///
    /// If there is no such process, or it may not be read.
    pub(super) fn open(pid: u32, backend: Backend) -> io::Result<Self> {
        Ok(Self {
            pid,
            statm: StatmFile::of(pid)?,
            status: StatusFile::of(pid)?,
            backend,
            smaps: match backend {
                Backend::Heap => {
                    let message = "the heap of another process cannot be read";
                    return Err(io::Error::new(io::ErrorKind::Unsupported, message));
                }
                Backend::Rss => None,
                Backend::Pss | Backend::Uss => Some(SmapsFile::of(pid)?),
            },
        })
    }

    /// Reads the memory now. What takes longer to read is read `with_more` only.
    pub(super) fn read(&mut self, with_more: bool) -> State {
        let sizes = if with_more {
            self.status.read().map(|status| {
                let more = More {
                    high_water: status.peak?,
                    threads: status.threads.unwrap_or(1),
                };
                Some((status.resident?, Some(more)))
            })
        } else {
            let resident = self.statm.resident();
            resident.map(|resident| Some((resident?, None)))
        };
        let Ok(sizes) = sizes else {
            return State::Gone;
        };
        let reading = sizes.and_then(|(resident, more)| {
            let memory = match self.backend {
                Backend::Heap | Backend::Rss => resident,
                Backend::Pss => self.read_smaps()?.pss,
                Backend::Uss => self.read_smaps()?.uss,
            };
            Some(Reading { memory, more })
        });
        reading.map_or(State::NoMemory, State::Read)
    }

    fn read_smaps(&mut self) -> Option<Smaps> {
        let read = |file: &SmapsFile| file.read().ok().flatten();
        self.smaps.as_ref().and_then(read).or_else(|| {
            // The process has called `exec`. It was there a moment ago, so the number is still its
            // own.
            self.smaps = SmapsFile::of(self.pid).ok();
            self.smaps.as_ref().and_then(read)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;
    use crate::process::poll;

    fn read(backend: Backend) -> Reading {
        let mut files = ProcessFiles::open(std::process::id(), backend).unwrap();
        match files.read(true) {
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
        for with_more in [true, false] {
            assert!(matches!(files.read(with_more), State::Read(_)));
        }
        let ended = crate::process::pidfd(child.id().cast_signed()).unwrap();
        child.kill().unwrap();
        poll::readable([ended.as_fd()], None).unwrap();
        for with_more in [true, false] {
            assert_eq!(files.read(with_more), State::NoMemory);
        }
        child.wait().unwrap();
        for with_more in [true, false] {
            assert_eq!(files.read(with_more), State::Gone);
        }
    }
}
