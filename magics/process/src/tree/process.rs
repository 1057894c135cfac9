//! One process of a tree.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use memit_session::abi::Backend;

use super::{EndedDescendant, Observed, ProcessFiles, Reading, number};
use crate::process::{resident, shares_memory};

/// What the system's counters of a process may lack at a moment, in bytes.
const LAG: u64 = 1 << 20;

pub(super) struct Process {
    pub(super) pid: u32,
    /// The thread that the files are of: the main thread, as long as it has not ended before the
    /// others.
    pub(super) thread: u32,
    pub(super) files: ProcessFiles,
    /// The children that each thread has started, by the number of the thread.
    pub(super) tasks: Vec<(u32, File)>,
    /// The parent, as long as this process may still use the parent's memory, as it does between
    /// `vfork` and `exec`.
    borrows_from: Option<u32>,
    /// At the sample before.
    before: u64,
    pub(super) now: Option<Observed>,
    /// The highest of all samples and peaks so far.
    highest: Option<u64>,
    /// The highest mark that was read so far. An `exec` begins with a lower one.
    pub(super) mark: u64,
    /// Memory when the last two marks were read.
    seen: [u64; 2],
    /// Whether no `exec` was noticed.
    pub(super) is_same_program: bool,
    /// Whether the mark was read at the very end.
    pub(super) was_read_at_end: bool,
    pub(super) has_ended: bool,
}

impl Process {
    pub(super) fn open(pid: u32, backend: Backend, parent: Option<u32>) -> io::Result<Self> {
        Ok(Self {
            pid,
            thread: pid,
            files: ProcessFiles::open(pid, backend)?,
            tasks: Vec::new(),
            borrows_from: parent,
            before: 0,
            now: None,
            highest: None,
            mark: 0,
            seen: [0; 2],
            is_same_program: true,
            was_read_at_end: false,
            has_ended: false,
        })
    }

    /// Whether the process has memory, although the thread that the files are of has none any more. The
    /// files are then those of another thread.
    pub(super) fn goes_on(&mut self, backend: Backend) -> bool {
        if self.has_ended {
            return false;
        }
        for (thread, _) in threads_of(self.pid).into_iter().flatten() {
            if resident(thread).is_some()
                && let Ok(files) = ProcessFiles::open(thread, backend)
            {
                (self.files, self.thread) = (files, thread);
                return true;
            }
        }
        false
    }

    /// Whether the process has run since its main thread was about to end: in other threads, one of which
    /// may have made the process another program. Otherwise the process keeps its memory for a moment.
    pub(super) fn has_run_on(&self, reading: Reading) -> bool {
        let is_other = |mark: u64| mark > self.mark || mark.saturating_add(LAG) < self.mark;
        self.thread != self.pid || reading.more.is_some_and(|more| is_other(more.high_water))
    }

    /// Takes a sample.
    pub(super) fn observe(&mut self, reading: Reading, backend: Backend, from_start: bool) {
        self.before = self.memory();
        if self.borrows() {
            return;
        }
        let mark = self.note_mark(reading);
        let first = if from_start { 0 } else { mark };
        let highest = self.highest.unwrap_or(first).max(reading.memory);
        // The mark is one of the RSS, whatever the backend counts.
        let is_comparable = backend == Backend::Rss && reading.more.is_some();
        let missed = (is_comparable && mark > highest).then_some(mark);
        self.highest = Some(missed.unwrap_or(highest));
        self.now = Some(Observed {
            memory: reading.memory,
            missed,
        });
    }

    /// Reads the mark only.
    pub(super) fn look(&mut self, reading: Reading) {
        if !self.borrows() {
            self.note_mark(reading);
        }
    }

    fn note_mark(&mut self, reading: Reading) -> u64 {
        if let Some(more) = reading.more {
            self.is_same_program &= more.high_water.saturating_add(LAG) >= self.mark;
            self.mark = self.mark.max(more.high_water);
            self.seen = [self.seen[1], reading.memory];
        }
        self.mark
    }

    fn borrows(&mut self) -> bool {
        let borrows = |parent| shares_memory(parent, self.pid);
        self.borrows_from = self.borrows_from.filter(|parent| borrows(*parent));
        self.borrows_from.is_some()
    }

    /// Memory in bytes when the last mark was read.
    pub(super) fn seen(&self) -> u64 {
        self.seen[1]
    }

    /// The smaller of the last two such sizes. A fork that is about to become another program, or to
    /// ask its parent to trace it, is hardly seen twice.
    pub(super) fn seen_twice(&self) -> u64 {
        self.seen[0].min(self.seen[1])
    }

    /// The process as one that has ended.
    pub(super) fn end(&self) -> EndedDescendant {
        EndedDescendant {
            pid: self.pid,
            missed: self.missed(),
            is_exact: self.was_read_at_end,
        }
    }

    /// A peak that a look has found and no sample has told.
    pub(super) fn missed(&self) -> Option<u64> {
        Some(self.mark).filter(|mark| *mark > self.highest.unwrap_or(0))
    }

    pub(super) fn memory(&self) -> u64 {
        self.now.map_or(0, |observed| observed.memory)
    }

    /// The smaller of the last two samples.
    pub(super) fn at_least(&self) -> u64 {
        self.before.min(self.memory())
    }

    /// Lists the threads again when their number has changed or one has ended.
    pub(super) fn keep_tasks(&mut self, threads: u32) {
        let all_there = u32::try_from(self.tasks.len()) == Ok(threads)
            && self
                .tasks
                .iter()
                .all(|(_, file)| file.read_at(&mut [0], 0).is_ok());
        if all_there {
            return;
        }
        let Some(listed) = threads_of(self.pid) else {
            return;
        };
        self.tasks = listed
            .filter_map(|(thread, path)| Some((thread, File::open(path.join("children")).ok()?)))
            .collect();
    }
}

/// The threads of a process, each with the directory of its files; `None` if the process is gone.
fn threads_of(pid: u32) -> Option<impl Iterator<Item = (u32, PathBuf)>> {
    let listed = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    Some(listed.flatten().filter_map(|thread| {
        let number = number(thread.file_name().as_encoded_bytes())?;
        Some((number, thread.path()))
    }))
}
