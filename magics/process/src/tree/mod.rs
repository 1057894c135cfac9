//! A process and, if asked for, its descendants, sampled together.

mod process;

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use memit_session::abi::Backend;

use super::process_files::{More, ProcessFiles, Reading, State};
use super::tracer::{Ending, Tracer};
use crate::process::{self as system, has_waited};
use process::Process;

/// Room for the children of a thread, as text.
type Text = [u8; 8192];

/// The memory of one process or of all together at one sample, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Observed {
    /// Memory now.
    pub memory: u64,
    /// A peak above all samples so far that came and went since the last thorough sample.
    pub missed: Option<u64>,
}

/// A descendant that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedDescendant {
    /// The process number.
    pub pid: u32,
    /// A peak above all samples in bytes, if there was one.
    pub missed: Option<u64>,
    /// Whether the peak was read at the very end, so that it is exact.
    pub is_exact: bool,
}

/// The processes that are sampled. A descendant stays among them even if a process in between ends,
/// so that the system no longer shows it as one.
pub struct Tree {
    processes: Vec<Process>,
    known: HashSet<u32>,
    backend: Backend,
    with_descendants: bool,
    /// Whether what happened before the first sample counts.
    from_start: bool,
    /// Highest sum so far.
    highest: u64,
    tracer: Option<Tracer>,
    ended: Vec<EndedDescendant>,
    had_descendants: bool,
    text: Box<Text>,
}

impl Tree {
    /// A child of this process that has just started: a peak before the first sample counts.
    ///
    /// # Errors
    ///
    /// If there is no such process, or it may not be read.
    pub fn started(pid: u32, backend: Backend, with_descendants: bool) -> io::Result<Self> {
        Self::new(pid, backend, with_descendants, true)
    }

    /// A process that has been running: a peak before the first sample does not count.
    ///
    /// # Errors
    ///
    /// If there is no such process, or it may not be read.
    pub fn running(pid: u32, backend: Backend, with_descendants: bool) -> io::Result<Self> {
        Self::new(pid, backend, with_descendants, false)
    }

    fn new(
        pid: u32,
        backend: Backend,
        with_descendants: bool,
        from_start: bool,
    ) -> io::Result<Self> {
        Ok(Self {
            processes: vec![Process::open(pid, backend, None)?],
            known: HashSet::from([pid]),
            backend,
            with_descendants,
            from_start,
            highest: 0,
            tracer: None,
            ended: Vec::new(),
            had_descendants: false,
            text: Box::new([0; 8192]),
        })
    }

    /// Lets [`Self::look`] trace those processes of a started tree whose peaks nothing else tells: the
    /// first, once it has a child or has waited for one, and each descendant.
    pub fn trace(&mut self) {
        self.tracer = Some(Tracer::new());
    }

    /// Reads every process. Only `thorough` samples look for missed peaks and new descendants; they
    /// take about four times as long.
    pub fn sample(&mut self, thorough: bool) {
        let (backend, from_start) = (self.backend, self.from_start);
        self.visit(thorough, |process, reading| {
            process.observe(reading, backend, from_start);
        });
        self.from_start = true;
        if thorough {
            self.seize();
        }
    }

    /// Reads the marks of all processes and finds new descendants, so that little is lost of a process
    /// that ends before the next sample.
    pub fn look(&mut self) {
        self.visit(true, Process::look);
        self.seize();
    }

    /// Traces processes whose peaks nothing else will tell.
    fn seize(&mut self) {
        let Some(tracer) = &mut self.tracer else {
            return;
        };
        for (index, process) in self.processes.iter().enumerate() {
            // A thread that is not the main one would be somebody else after an `exec`.
            if process.has_ended || process.was_read_at_end || process.thread != process.pid {
                continue;
            }
            let is_root = index == 0;
            let is_wanted = if is_root {
                // `wait` tells the peak of a child of this process that has had no children.
                let has_children = self.had_descendants || has_waited(process.pid);
                has_children && process.seen() >= tracer.least()
            } else {
                process.seen_twice() >= tracer.least()
            };
            if is_wanted
                && let Some(pid) = system::number(process.pid)
                && !tracer.is_traced(pid)
                && !traces_itself(process.pid)
            {
                // A debugger may have been first. The marks are then all that is known.
                let _ = tracer.seize(pid, is_root);
            }
        }
    }

    /// Lets traced processes go on that have stopped. A process that is about to end, or at least its
    /// main thread, is returned and waits for [`Self::let_go`].
    pub fn next_end(&mut self) -> Option<u32> {
        let Ending {
            pid,
            is_same_program,
        } = self.tracer.as_mut()?.next_end()?;
        let pid = pid.as_raw_pid().cast_unsigned();
        if let Some(process) = self.known(pid) {
            process.is_same_program &= is_same_program;
        }
        Some(pid)
    }

    /// Lets a process end, after its last sample.
    pub fn let_go(&mut self, pid: u32) {
        if let Some(process) = self.known(pid) {
            process.was_read_at_end = true;
        }
        if let (Some(tracer), Some(pid)) = (&mut self.tracer, system::number(pid)) {
            tracer.let_go(pid);
        }
    }

    /// Takes a thorough sample of one process, and returns it.
    pub fn sample_one(&mut self, pid: u32) -> Option<Observed> {
        let backend = self.backend;
        let process = self.known(pid)?;
        if let State::Read(reading) = process.files.read(true) {
            process.observe(reading, backend, true);
        }
        process.now
    }

    fn known(&mut self, pid: u32) -> Option<&mut Process> {
        self.processes.iter_mut().find(|process| process.pid == pid)
    }

    /// Calls `visit` with every process that has memory.
    fn visit(&mut self, thorough: bool, visit: impl Fn(&mut Process, Reading)) {
        let mut at = 0;
        // The loop also reaches new processes, which are added at the end.
        while let Some(process) = self.processes.get_mut(at) {
            let mut state = process.files.read(thorough);
            if !matches!(state, State::Read(_)) && process.goes_on(self.backend) {
                state = process.files.read(thorough);
            }
            if let State::Read(reading) = state {
                process.was_read_at_end &= !process.has_run_on(reading);
                visit(process, reading);
                if let Some(More { threads, .. }) = reading.more.filter(|_| self.with_descendants) {
                    process.keep_tasks(threads);
                    let parent = process.pid;
                    let tasks = std::mem::take(&mut process.tasks);
                    self.find_children(parent, &tasks);
                    self.processes[at].tasks = tasks;
                }
                at += 1;
            } else {
                if at > 0 && !process.has_ended {
                    self.ended.push(process.end());
                }
                process.now = None;
                process.has_ended = true;
                // The first process stays, as the root of the others.
                if state == State::Gone && at > 0 {
                    let gone = self.processes.remove(at);
                    self.known.remove(&gone.pid);
                } else {
                    at += 1;
                }
            }
        }
    }

    fn find_children(&mut self, parent: u32, tasks: &[(u32, File)]) {
        for (_, children) in tasks {
            let Some(text) = read_all(children, &mut self.text) else {
                continue;
            };
            for pid in text.split(u8::is_ascii_whitespace).filter_map(number) {
                if self.known.contains(&pid) {
                    continue;
                }
                // Leave out children that are gone already or belong to another user.
                if let Ok(child) = Process::open(pid, self.backend, Some(parent)) {
                    self.known.insert(pid);
                    self.processes.push(child);
                    self.had_descendants = true;
                }
            }
        }
    }

    /// A peak of the first process that a look has found and no sample has told, in bytes.
    pub fn missed(&self) -> Option<u64> {
        self.processes[0].missed()
    }

    /// Whether a process is the first.
    pub fn is_root(&self, pid: u32) -> bool {
        self.processes[0].pid == pid
    }

    /// Whether the first process is traced and not stopped.
    pub fn is_root_busy(&self) -> bool {
        let tracer = self.tracer.as_ref();
        let pid = system::number(self.processes[0].pid);
        tracer
            .zip(pid)
            .is_some_and(|(tracer, pid)| tracer.is_busy(pid))
    }

    /// Whether there were descendants.
    pub fn had_descendants(&self) -> bool {
        self.had_descendants
    }

    /// Whether the mark of the first process was read at its very end, and is that of its whole life.
    pub fn is_known_to_the_end(&self) -> bool {
        let root = &self.processes[0];
        root.was_read_at_end && root.is_same_program
    }

    /// The first process; `None` if it has ended.
    pub fn root(&self) -> Option<Observed> {
        self.processes[0].now
    }

    /// The running descendants and their numbers.
    pub fn descendants(&self) -> impl Iterator<Item = (u32, Observed)> + '_ {
        let descendants = self.processes[1..].iter();
        descendants.filter_map(|process| Some((process.pid, process.now?)))
    }

    /// The descendants that have ended since the last call.
    pub fn ended(&mut self) -> Vec<EndedDescendant> {
        std::mem::take(&mut self.ended)
    }

    /// All processes together; `None` if the first has ended.
    ///
    /// The system keeps no mark for a sum. So the missed peak is the mark of one process plus the
    /// least that each of the others had at the samples before and after. The true peak may be
    /// higher, never lower.
    pub fn sum(&mut self) -> Option<Observed> {
        self.root()?;
        let running = || {
            self.processes
                .iter()
                .filter(|process| process.now.is_some())
        };
        let memory = running().map(Process::memory).sum();
        let at_least = running().map(Process::at_least).sum::<u64>();
        let missed = running()
            .filter_map(|process| {
                let peak = process.now?.missed?;
                Some(at_least - process.at_least() + peak)
            })
            .max()
            .filter(|missed| *missed > self.highest.max(memory));
        self.highest = self.highest.max(memory).max(missed.unwrap_or(0));
        Some(Observed { memory, missed })
    }

    /// The threads that are watched for children, of all processes.
    #[cfg(test)]
    fn tasks(&self) -> usize {
        self.processes
            .iter()
            .map(|process| process.tasks.len())
            .sum()
    }
}

/// Whether a process may trace itself at its end, to look for leaks, which fails if the process is
/// traced already. `LeakSanitizer`, alone and as a part of `AddressSanitizer`, maps at least so much that no
/// other program does.
fn traces_itself(pid: u32) -> bool {
    const SANITIZER: u64 = 4 << 40;
    system::mapped(pid).is_some_and(|mapped| mapped >= SANITIZER)
}

/// The text of a file in `/proc`; of a longer one, what finds room, up to a blank.
fn read_all<'a>(file: &File, text: &'a mut Text) -> Option<&'a [u8]> {
    let length = file.read_at(text, 0).ok()?;
    let text = &text[..length];
    let end = text.iter().rposition(u8::is_ascii_whitespace)?;
    Some(&text[..end])
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
