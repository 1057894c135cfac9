//! Samples a process until it ends, its time is over, or a signal says so.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use memit_magics::units;
use memit_measurement::{Backend, mprof_format};
use memit_process::{Ended, Observed, PeakFinder, Sample, Signal, Signals, Ticker, Tree};

use super::arguments::RecordArgs;
use super::profile_file::ProfileFile;
use super::status::Status;

/// Why sampling came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    ProcessEnded,
    TimeOver,
    Signal,
}

/// A process, and what has been recorded of it.
pub(super) struct Recording {
    tree: Tree,
    /// Whether the descendants are added to the process.
    sum: bool,
    /// Whether each descendant is recorded.
    each: bool,
    backend: Backend,
    interval: Duration,
    pub(super) output: ProfileFile,
    status: Status,
    /// Since 1970, when `started` was.
    epoch: Duration,
    started: Instant,
    finder: PeakFinder,
    pub(super) samples: u64,
    /// In bytes.
    pub(super) peak: u64,
    /// The peak that was seen shortly after the start, in bytes.
    glimpsed: u64,
}

/// The life of a program that may have ended before it was seen at its peak.
const SHORT: Duration = Duration::from_millis(10);

/// The first pause between looks at the start of a program; each is twice as long as the one before.
const GLIMPSE: Duration = Duration::from_micros(250);

/// Whether the descendants of a process must be known.
pub(super) fn with_descendants(arguments: &RecordArgs) -> bool {
    arguments.include_children || arguments.multiprocess
}

impl Recording {
    /// Takes the first sample.
    pub(super) fn start(tree: Tree, arguments: &RecordArgs, output: ProfileFile) -> Self {
        let mut recording = Self {
            tree,
            sum: arguments.include_children,
            each: arguments.multiprocess,
            backend: arguments.backend,
            interval: arguments.interval,
            output,
            status: Status::new(arguments.quiet),
            epoch: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            started: Instant::now(),
            finder: PeakFinder::default(),
            samples: 0,
            peak: 0,
            glimpsed: 0,
        };
        recording.sample();
        recording
    }

    /// Samples until the end, which is when `ended` can be read. `on_signal` says whether to go on.
    ///
    /// # Errors
    ///
    /// If the profile cannot be written.
    pub(super) fn record(
        &mut self,
        ended: BorrowedFd<'_>,
        signals: &Signals,
        timeout: Option<Duration>,
        mut on_signal: impl FnMut(Signal) -> ControlFlow<()>,
    ) -> anyhow::Result<Finish> {
        self.watch_the_start(ended)?;
        let mut ticker = Ticker::starting(self.started, self.interval);
        let finish = loop {
            match ticker.wait([ended, signals.as_fd()])? {
                [true, _] => break Finish::ProcessEnded,
                [_, true] => {
                    if let Some(signal) = signals.next()
                        && on_signal(signal).is_break()
                    {
                        break Finish::Signal;
                    }
                    continue;
                }
                [false, false] => {}
            }
            if timeout.is_some_and(|timeout| self.started.elapsed() >= timeout) {
                break Finish::TimeOver;
            }
            self.sample();
            self.output.flush_now_and_then()?;
        };
        self.status.clear();
        Ok(finish)
    }

    /// Looks at the mark of the peak now and then before the second sample: a small program may
    /// have ended by then, and nothing else tells its peak.
    fn watch_the_start(&mut self, ended: BorrowedFd<'_>) -> anyhow::Result<()> {
        let mut pause = GLIMPSE;
        while pause < self.interval / 2 {
            if Ticker::starting(Instant::now(), pause).wait([ended])? == [true] {
                break;
            }
            self.glimpsed = self.glimpsed.max(self.tree.mark().unwrap_or_default());
            pause *= 2;
        }
        Ok(())
    }

    /// Adds the peak that the system reports of a program that has ended.
    pub(super) fn end(&mut self, ended: &Ended) {
        // If the program has waited for children, the peak may be that of a child: no peak of the
        // program, but a lower bound for that of the sum.
        let is_ours = self.sum || !ended.had_children;
        // We never saw this process run; an upper bound is better than nothing.
        let is_unseen = self.elapsed() < SHORT;
        let is_known = is_ours && (!ended.is_limit || is_unseen);
        let peak = if is_known { ended.peak } else { 0 }.max(self.glimpsed);
        if self.backend == Backend::Rss && peak > self.peak {
            let at = self.finder.middle(self.elapsed());
            self.write_peak(Sample { at, bytes: peak });
        }
    }

    /// How long it took.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What was recorded, in one line.
    pub(super) fn summary(&self) -> String {
        let path = self.output.path().display();
        let elapsed = units::time(self.elapsed().as_secs_f64() * 1e9, 4);
        if self.samples == 0 && self.peak == 0 {
            return format!(
                "memit: {path} has no samples, because the program ended within {elapsed}"
            );
        }
        let samples = units::counted(&units::count(self.samples), "sample");
        format!(
            "memit: {path}: peak {}, {samples} in {elapsed}",
            units::bytes(self.peak)
        )
    }

    fn sample(&mut self) {
        let now = self.started.elapsed();
        let must_look = self.finder.must_look(now);
        self.tree.sample(must_look);
        let observed = if self.sum {
            self.tree.sum()
        } else {
            self.tree.root()
        };
        let Some(Observed { memory, missed }) = observed else {
            return;
        };
        let between = self.epoch + self.finder.middle(now);
        self.finder.push(Sample {
            at: now,
            bytes: memory,
        });
        if must_look && let Some(peak) = self.finder.look(missed) {
            self.write_peak(peak);
        }
        let at = |time, memory| mprof_format::Sample { memory, time };
        let time = self.epoch + now;
        self.output
            .add(|lines| mprof_format::memory(lines, at(time, memory), false));
        if self.each {
            for (pid, observed) in self.tree.descendants() {
                self.output.add(|lines| {
                    if let Some(peak) = observed.missed {
                        mprof_format::child(lines, pid, at(between, peak), true)?;
                    }
                    mprof_format::child(lines, pid, at(time, observed.memory), false)
                });
            }
        }
        self.samples += 1;
        self.peak = self.peak.max(memory);
        self.status.show(now, memory, self.peak);
    }

    fn write_peak(&mut self, peak: Sample) {
        let sample = mprof_format::Sample {
            memory: peak.bytes,
            time: self.epoch + peak.at,
        };
        self.output
            .add(|lines| mprof_format::memory(lines, sample, true));
        self.peak = self.peak.max(peak.bytes);
    }
}

/// The signals that end programs by default, and that people send.
///
/// # Errors
///
/// If the system gives no descriptor for them.
pub(super) fn hold_signals() -> io::Result<Signals> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    Signals::hold(&[SIGINT, SIGTERM, SIGHUP])
}
