//! Time by sampling: reads at an interval which lines are running.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use memit_measurement::{Look, RunningAt};

use super::arena::Arena;
use super::figures::{self, Counted};
use super::record::Record;
use super::thread_clock::waited_in;
use crate::sampling_thread::SamplingThread;

/// Time between two samples of a long run.
const SAMPLING: Duration = Duration::from_micros(100);

/// A sample counts for so many intervals at most.
const LATE: u32 = 4;

/// A thread that has been on a line for so long may be waiting for a processor.
const STALL: f64 = 200_000.0;

/// A line of a function, whose static is at the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct At {
    address: usize,
    line: usize,
}

/// The time between two samples that saw a thread make progress.
#[derive(Debug, Clone)]
struct Stretch {
    /// The running lines, outermost first.
    lines: Vec<At>,
    /// Changes when a line runs again, or another line.
    progress: u64,
    /// Nanoseconds so far.
    length: f64,
    /// How long the thread had waited for a processor when the stretch became long, in nanoseconds.
    waited: Option<u64>,
}

/// The samples so far.
#[derive(Debug, Clone)]
pub(super) struct Samples {
    interval: Duration,
    /// Time between two samples, at which chance has a part: a loop in the run may have the same period
    /// as the sampler, and repeated runs begin alike.
    pause: Duration,
    chance: u64,
    /// Time of the last sample.
    last: Instant,
    /// Samples that found a line running.
    met: u64,
    /// Sum of the stretches, and of their squares.
    sum: f64,
    squares: f64,
    /// Nanoseconds between samples during the run.
    seen: f64,
    /// Nanoseconds during which a thread was in a function, by the address of the function.
    within: HashMap<usize, f64>,
    /// Nanoseconds of each running line, and the innermost line of the same thread.
    times: HashMap<(At, At), f64>,
    /// Whether the statements ran at the last sample.
    was_running: bool,
    /// The threads with running lines at the last sample.
    threads: HashMap<u64, Stretch>,
}

impl Samples {
    /// No samples yet, of a long run.
    pub(super) fn new() -> Self {
        Self::every(SAMPLING)
    }

    /// No samples yet, at this interval.
    pub(super) fn every(interval: Duration) -> Self {
        Self {
            interval,
            pause: Duration::ZERO,
            chance: 0x9e37_79b9_7f4a_7c15,
            last: Instant::now(),
            met: 0,
            sum: 0.0,
            squares: 0.0,
            seen: 0.0,
            within: HashMap::new(),
            times: HashMap::new(),
            was_running: false,
            threads: HashMap::new(),
        }
    }

    /// Charges the lines that were running at the last sample with the time since then, and reads
    /// which lines are running now. A sampler that had to wait for a processor is late because the
    /// run was busy, so what it saw last is more likely than what it sees now. For the shares of lines,
    /// such a sample stands for a few intervals at most: one sample should not outweigh many.
    pub(super) fn take(&mut self, arena: &Arena, process: u32) {
        let now = Instant::now();
        if now - self.last < self.pause {
            return;
        }
        self.pause = self.next_pause();
        let elapsed = now - std::mem::replace(&mut self.last, now);
        if std::mem::replace(&mut self.was_running, arena.is_running()) {
            self.pass(elapsed);
        }
        self.read(arena, process);
    }

    /// Between half of the interval and one and a half for a short run; nothing for a long run, at
    /// which the system decides when to look.
    fn next_pause(&mut self) -> Duration {
        if self.interval >= SAMPLING {
            return Duration::ZERO;
        }
        // Marsaglia's xorshift.
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        let part = (self.chance >> 32) as f64 / f64::from(u32::MAX);
        self.interval.mul_f64(0.5 + part)
    }

    /// How often to call [`Self::take`].
    pub(super) fn watching(&self) -> Duration {
        if self.interval >= SAMPLING {
            self.interval
        } else {
            Duration::from_micros(1)
        }
    }

    /// Time passes in all running functions and lines.
    fn pass(&mut self, elapsed: Duration) {
        let of_line = elapsed.min(LATE * self.interval).as_nanos() as f64;
        let elapsed = elapsed.as_nanos() as f64;
        self.seen += elapsed;
        self.met += u64::from(!self.threads.is_empty());
        let functions: BTreeSet<usize> = self
            .threads
            .values()
            .flat_map(|stretch| stretch.lines.iter().map(|at| at.address))
            .collect();
        for address in functions {
            *self.within.entry(address).or_default() += elapsed;
        }
        for stretch in self.threads.values_mut() {
            stretch.length += of_line;
        }
    }

    /// Reads which lines are running, and ends the stretches of threads that have made progress.
    fn read(&mut self, arena: &Arena, process: u32) {
        let mut before = std::mem::take(&mut self.threads);
        for record in arena.records() {
            let (lines, progress) = running(record);
            if lines.is_empty() {
                continue;
            }
            let thread = record.number();
            let mut stretch = Stretch {
                lines,
                progress,
                length: 0.0,
                waited: None,
            };
            match before.remove(&thread) {
                Some(old) if old.progress == progress && old.lines == stretch.lines => {
                    stretch = old;
                    if stretch.length > STALL && stretch.waited.is_none() {
                        stretch.waited = waited_ns(process, thread);
                    }
                }
                Some(old) => self.end(&old, thread, process),
                None => {}
            }
            self.threads.insert(thread, stretch);
        }
        for (thread, old) in before {
            self.end(&old, thread, process);
        }
    }

    /// Charges the lines of a stretch with its time, without the time for which the thread waited for
    /// a processor: where a thread is interrupted is chance.
    fn end(&mut self, stretch: &Stretch, thread: u64, process: u32) {
        let waited = stretch.waited.and_then(|before| {
            let now = waited_ns(process, thread)?;
            Some(now.saturating_sub(before) as f64)
        });
        let time = (stretch.length - waited.unwrap_or(0.0)).max(0.0);
        self.sum += time;
        self.squares += time * time;
        if let Some(&innermost) = stretch.lines.last() {
            for &at in &stretch.lines {
                *self.times.entry((at, innermost)).or_default() += time;
            }
        }
    }

    /// Forgets the time since the last sample, before a run begins.
    pub(super) fn pause(&mut self) {
        self.last = Instant::now();
        self.was_running = false;
        self.threads.clear();
    }

    /// Forgets all samples since `before` was cloned from these.
    pub(super) fn take_back(&mut self, before: Self) {
        let chance = self.chance;
        *self = before;
        self.chance = chance;
    }

    /// Nanoseconds between two samples.
    pub(super) fn interval_ns(&self) -> u64 {
        u64::try_from(self.interval.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Samples that found a line running.
    pub(super) fn met(&self) -> u64 {
        self.met
    }

    /// How many samples at equal times would say as much.
    pub(super) fn effective(&self) -> f64 {
        self.sum * self.sum / self.squares.max(1.0)
    }

    /// The time of each line of these functions, as a part of the time of all runs. Threads share the
    /// time that they spend in a function together.
    pub(super) fn looks(&self, functions: &[Counted]) -> Vec<Look> {
        let seen = self.seen.max(1.0);
        let running = |at: At| {
            let is_here = |counted: &Counted| counted.address == at.address;
            let function = functions.iter().position(is_here)?;
            Some(RunningAt {
                function,
                line: at.line,
            })
        };
        let mut sums: HashMap<usize, f64> = HashMap::new();
        for ((at, _), time) in &self.times {
            *sums.entry(at.address).or_default() += time;
        }
        let looks = self.times.iter().filter_map(|(&(at, innermost), time)| {
            let within = self.within.get(&at.address)?;
            let share = time / sums.get(&at.address)?.max(1.0);
            Some(Look {
                at: running(at)?,
                innermost: running(innermost)?,
                part: within * share / seen,
            })
        });
        looks.collect()
    }
}

/// The running lines of a thread, outermost first, and a number that changes with every progress.
fn running(record: &Record) -> (Vec<At>, u64) {
    let mut progress = 0_u64;
    let lines = record.tables().filter_map(|table| {
        let head = table.head();
        let line = usize::try_from(head.line.load(Relaxed).checked_sub(1)?).ok()?;
        let hits = table.lines().get(line)?.hits.load(Relaxed);
        let calls = head.calls.load(Relaxed);
        progress = progress.wrapping_add(hits).wrapping_add(calls);
        let address = figures::address(table);
        Some((head.depth.load(Relaxed), At { address, line }))
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable_by_key(|(depth, _)| *depth);
    (lines.into_iter().map(|(_, at)| at).collect(), progress)
}

/// How long a thread has waited for a processor so far; `None` where the system does not tell.
fn waited_ns(process: u32, thread: u64) -> Option<u64> {
    let path = format!("/proc/{process}/task/{thread}/schedstat");
    waited_in(&std::fs::read_to_string(path).ok()?)
}

/// Samples the lines of this process, for runs in place.
pub(super) fn start_thread(arena: &'static Arena) -> io::Result<SamplingThread<Samples>> {
    let process = std::process::id();
    SamplingThread::start("line sampler", SAMPLING, Samples::new(), move |samples| {
        samples.take(arena, process);
    })
}
