//! A process and, if asked for, its descendants, sampled together.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use memit_session::abi::Backend;

use super::process_files::{More, ProcessFiles, Reading, State};
use crate::process::shares_memory;

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
    text: Box<Text>,
}

struct Process {
    pid: u32,
    files: ProcessFiles,
    /// The children that each thread has started, by the number of the thread.
    tasks: Vec<(u32, File)>,
    /// The parent, as long as this process may still use the parent's memory, as it does between
    /// `vfork` and `exec`.
    borrows_from: Option<u32>,
    /// At the sample before.
    before: u64,
    now: Option<Observed>,
    /// The highest of all samples and peaks so far.
    highest: Option<u64>,
}

impl Tree {
    /// A process that has just started: a peak before the first sample counts.
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
            text: Box::new([0; 8192]),
        })
    }

    /// Reads every process. Only `thorough` samples look for missed peaks and new descendants; they
    /// take about four times as long.
    pub fn sample(&mut self, thorough: bool) {
        let from_start = self.from_start;
        let mut at = 0;
        // The loop also reaches new processes, which are added at the end.
        while let Some(process) = self.processes.get_mut(at) {
            let state = process.files.read(thorough);
            if let State::Read(reading) = state {
                process.observe(reading, self.backend, from_start);
                if let Some(More { threads, .. }) = reading.more.filter(|_| self.with_descendants) {
                    process.keep_tasks(threads);
                    let parent = process.pid;
                    let tasks = std::mem::take(&mut process.tasks);
                    self.find_children(parent, &tasks);
                    self.processes[at].tasks = tasks;
                }
                at += 1;
            } else {
                process.now = None;
                // The first process stays, as the root of the others.
                if state == State::Gone && at > 0 {
                    let gone = self.processes.remove(at);
                    self.known.remove(&gone.pid);
                } else {
                    at += 1;
                }
            }
        }
        self.from_start = true;
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
                }
            }
        }
    }

    /// The highest resident set size of the first process so far, in bytes. Does not count as a
    /// sample.
    pub fn mark(&mut self) -> Option<u64> {
        match self.processes[0].files.read(true) {
            State::Read(reading) => reading.more.map(|more| more.high_water),
            State::NoMemory | State::Gone => None,
        }
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

impl Process {
    fn open(pid: u32, backend: Backend, parent: Option<u32>) -> io::Result<Self> {
        Ok(Self {
            pid,
            files: ProcessFiles::open(pid, backend)?,
            tasks: Vec::new(),
            borrows_from: parent,
            before: 0,
            now: None,
            highest: None,
        })
    }

    fn observe(&mut self, reading: Reading, backend: Backend, from_start: bool) {
        self.before = self.memory();
        if let Some(parent) = self.borrows_from {
            if shares_memory(parent, self.pid) {
                return;
            }
            self.borrows_from = None;
        }
        let mark = reading.more.map_or(0, |more| more.high_water);
        let first = if from_start { 0 } else { mark };
        let highest = self.highest.unwrap_or(first).max(reading.memory);
        // The mark is one of the RSS, whatever the backend counts.
        let missed = (backend == Backend::Rss && mark > highest).then_some(mark);
        self.highest = Some(missed.unwrap_or(highest));
        self.now = Some(Observed {
            memory: reading.memory,
            missed,
        });
    }

    fn memory(&self) -> u64 {
        self.now.map_or(0, |observed| observed.memory)
    }

    /// The smaller of the last two samples.
    fn at_least(&self) -> u64 {
        self.before.min(self.memory())
    }

    /// Lists the threads again when their number has changed or one has ended.
    fn keep_tasks(&mut self, threads: u32) {
        let all_there = u32::try_from(self.tasks.len()) == Ok(threads)
            && self
                .tasks
                .iter()
                .all(|(_, file)| file.read_at(&mut [0], 0).is_ok());
        if all_there {
            return;
        }
        let Ok(listed) = std::fs::read_dir(format!("/proc/{}/task", self.pid)) else {
            return;
        };
        self.tasks = listed
            .flatten()
            .filter_map(|task| {
                let tid = number(task.file_name().as_encoded_bytes())?;
                Some((tid, File::open(task.path().join("children")).ok()?))
            })
            .collect();
    }
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
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn reading(memory: u64, high_water: u64) -> Reading {
        Reading {
            memory,
            more: Some(More {
                high_water,
                threads: 1,
            }),
        }
    }

    fn process() -> Process {
        Process::open(std::process::id(), Backend::Rss, None).unwrap()
    }

    #[test]
    fn a_mark_above_all_samples_is_a_missed_peak_and_reported_once() {
        let mut process = process();
        let missed = [(10, 10), (20, 20), (20, 70), (30, 70), (80, 80)].map(|(memory, mark)| {
            process.observe(reading(memory, mark), Backend::Rss, true);
            process.now.unwrap().missed
        });
        assert_eq!(missed, [None, None, Some(70), None, None]);
    }

    #[test]
    fn a_peak_before_the_first_sample_counts_only_from_the_start() {
        for (from_start, missed) in [(true, Some(70)), (false, None)] {
            let mut process = process();
            process.observe(reading(10, 70), Backend::Rss, from_start);
            assert_eq!(process.now.unwrap().missed, missed);
        }
    }

    #[test]
    fn other_backends_have_no_mark() {
        let mut process = process();
        process.observe(reading(10, 70), Backend::Pss, true);
        assert_eq!(process.now.unwrap().missed, None);
    }

    #[test]
    fn the_peak_of_a_sum_counts_the_least_that_the_others_had() {
        let mut tree = Tree::started(std::process::id(), Backend::Rss, false).unwrap();
        tree.processes.push(process());
        for (index, first, second) in [(0, 50, 20), (1, 10, 10)] {
            let process = &mut tree.processes[index];
            process.observe(reading(first, first), Backend::Rss, true);
            let mark = if index == 1 { 100 } else { first };
            process.observe(reading(second, mark), Backend::Rss, true);
        }
        let sum = tree.sum().unwrap();
        assert_eq!((sum.memory, sum.missed), (30, Some(120)));
    }

    #[test]
    fn descendants_of_descendants_are_found() {
        // `echo` says that both are there.
        let mut shell = Command::new("sh")
            .args(["-c", "sh -c 'sleep 60 & echo; wait' & wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut tree = Tree::started(shell.id(), Backend::Rss, true).unwrap();
        let mut byte = [0];
        std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut byte).unwrap();
        tree.sample(true);
        let descendants: Vec<_> = tree.descendants().collect();
        assert_eq!(descendants.len(), 2, "{descendants:?}");
        assert_eq!(tree.tasks(), 3);
        let root = tree.root().unwrap().memory;
        let others: u64 = descendants
            .iter()
            .map(|(_, observed)| observed.memory)
            .sum();
        assert_eq!(tree.sum().unwrap().memory, root + others);
        crate::process::end_with_descendants(shell.id());
        shell.wait().unwrap();
        tree.sample(true);
        assert_eq!(tree.root(), None);
        assert_eq!(tree.sum(), None);
    }
}
