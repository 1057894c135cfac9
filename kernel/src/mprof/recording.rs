//! Samples a process until it ends, its time is over, or a signal says so.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use memit_magics::{units, visible};
use memit_measurement::{Backend, mprof_format};
use memit_process::{
    Ended, Looks, Observed, PeakFinder, Sample, Signal, Signals, Ticker, Tree, Woken,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGTSTP};

use super::arguments::RecordArgs;
use super::certainty::Certainty;
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
    certainty: Certainty,
}

/// The longest that a program may take to stop after Ctrl-Z, with this process waiting for it.
const UNTIL_STOPPED: Duration = Duration::from_millis(100);
const BETWEEN_LOOKS_FOR_A_STOP: Duration = Duration::from_millis(1);

/// Whether the descendants of a process must be known.
pub(super) fn with_descendants(arguments: &RecordArgs) -> bool {
    arguments.include_children || arguments.multiprocess
}

impl Recording {
    /// Takes the first sample, and writes it.
    ///
    /// # Errors
    ///
    /// If the profile cannot be written.
    pub(super) fn start(
        tree: Tree,
        arguments: &RecordArgs,
        output: ProfileFile,
    ) -> anyhow::Result<Self> {
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
            certainty: Certainty::Exact,
        };
        recording.sample(false);
        recording.output.flush()?;
        Ok(recording)
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
        let mut ticker = Ticker::starting(self.started, self.interval);
        // The mark that looks read is one of the RSS.
        let mut looks = Looks::starting(self.started, self.backend == Backend::Rss);
        let finish = loop {
            match ticker.wait([ended, signals.as_fd()], looks.next)? {
                Woken::Ready([true, _]) => break Finish::ProcessEnded,
                Woken::Ready(_) => match signals.next() {
                    // A traced process has stopped, or the program has ended.
                    Some(signal) if signal.number == SIGCHLD => {}
                    Some(signal) if signal.number == SIGTSTP => self.suspend(signals)?,
                    Some(signal) if on_signal(signal).is_break() => break Finish::Signal,
                    _ => {}
                },
                Woken::Deadline => {
                    if timeout.is_some_and(|timeout| self.started.elapsed() >= timeout) {
                        break Finish::TimeOver;
                    }
                    self.sample(false);
                    self.output.flush_now_and_then()?;
                }
                Woken::Moment => looks.take(|| self.tree.look()),
            }
            self.see_ends();
        };
        self.sample(true);
        self.status.clear();
        self.certainty = Certainty::of_samples(self.backend, self.is_of_several());
        Ok(finish)
    }

    /// Takes a last sample of each traced process that is about to end.
    fn see_ends(&mut self) {
        while let Some(pid) = self.tree.next_end() {
            if self.sum || self.tree.is_root(pid) {
                self.sample(true);
            } else if let Some(observed) = self.tree.sample_one(pid) {
                self.write_child(pid, observed, self.started.elapsed());
            }
            self.tree.let_go(pid);
        }
    }

    /// Stops together with the program, which may have plans of its own for Ctrl-Z: as long as the
    /// program is traced, its signals pass through this process.
    fn suspend(&mut self, signals: &Signals) -> anyhow::Result<()> {
        let end = Instant::now() + UNTIL_STOPPED;
        while self.tree.is_root_busy() && Instant::now() < end {
            std::thread::sleep(BETWEEN_LOOKS_FOR_A_STOP);
            self.see_ends();
        }
        self.output.flush()?;
        signals.stop();
        Ok(())
    }

    /// The process that was attached to has ended: nobody tells what it did after the last look.
    pub(super) fn end_unseen(&mut self) {
        self.write_missed();
        self.certainty = Certainty::AtLeast;
        self.write_certainty();
    }

    /// Adds what the system reports of a program that has ended.
    pub(super) fn end(&mut self, ended: &Ended) {
        self.write_missed();
        if self.backend != Backend::Rss {
            return self.write_certainty();
        }
        // If the program has waited for children, the peak may be that of a child: no peak of the
        // program, but a lower bound for that of the sum.
        let is_ours = (self.sum || !ended.had_children) && !ended.is_limit;
        let is_unseen = self.peak == 0;
        if ended.peak > self.peak && (is_ours || is_unseen) {
            self.write_peak_now(ended.peak);
        }
        self.certainty = if self.sum && (self.is_of_several() || ended.had_children) {
            Certainty::AtLeast
        } else if is_ours {
            Certainty::Exact
        } else if is_unseen {
            // An upper bound is better than nothing.
            Certainty::AtMost
        } else if ended.peak <= self.peak || self.tree.is_known_to_the_end() {
            Certainty::Exact
        } else {
            Certainty::UpTo(ended.peak)
        };
        self.write_certainty();
    }

    fn is_of_several(&self) -> bool {
        self.sum && self.tree.had_descendants()
    }

    /// Writes a peak that the last look has found and no sample has told.
    fn write_missed(&mut self) {
        if let Some(peak) = self.tree.missed().filter(|peak| *peak > self.peak) {
            self.write_peak_now(peak);
        }
    }

    fn write_peak_now(&mut self, bytes: u64) {
        let at = self.finder.middle(self.elapsed());
        self.write_peak(Sample { at, bytes });
    }

    fn write_certainty(&mut self) {
        let at_most = match self.certainty {
            Certainty::Exact => return,
            Certainty::UpTo(at_most) => Some(at_most),
            Certainty::AtMost => Some(self.peak),
            Certainty::AtLeast => None,
        };
        self.output
            .add(|lines| mprof_format::at_most(lines, None, at_most));
    }

    /// How long it took.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What was recorded, in one line.
    pub(super) fn summary(&self) -> String {
        let path = self.output.path().display().to_string();
        let path = visible(&path);
        let elapsed = units::time(self.elapsed().as_secs_f64() * 1e9, 4);
        if self.samples == 0 && self.peak == 0 {
            return format!(
                "memit: {path} has no samples, because the program ended within {elapsed}"
            );
        }
        let samples = units::counted(&units::count(self.samples), "sample");
        let peak = self.certainty.peak(self.peak);
        format!("memit: {path}: peak {peak}, {samples} in {elapsed}")
    }

    /// A `thorough` sample looks at the marks in any case.
    fn sample(&mut self, thorough: bool) {
        let now = self.started.elapsed();
        let must_look = thorough || self.finder.must_look(now);
        self.tree.sample(must_look);
        self.write_root(now, must_look);
        if self.each {
            let descendants: Vec<_> = self.tree.descendants().collect();
            for (pid, observed) in descendants {
                self.write_child(pid, observed, now);
            }
            self.write_ended(now);
        }
    }

    fn write_root(&mut self, now: Duration, must_look: bool) {
        let observed = if self.sum {
            self.tree.sum()
        } else {
            self.tree.root()
        };
        let Some(Observed { memory, missed }) = observed else {
            return;
        };
        self.finder.push(Sample {
            at: now,
            bytes: memory,
        });
        if must_look && let Some(peak) = self.finder.look(missed) {
            self.write_peak(peak);
        }
        let sample = self.sample_at(now, memory);
        self.output
            .add(|lines| mprof_format::memory(lines, sample, false));
        self.samples += 1;
        self.peak = self.peak.max(memory);
        self.status.show(now, memory, self.peak);
    }

    fn write_child(&mut self, pid: u32, observed: Observed, now: Duration) {
        let peak = observed.missed.map(|peak| self.sample_between(now, peak));
        let sample = self.sample_at(now, observed.memory);
        self.output.add(|lines| {
            if let Some(peak) = peak {
                mprof_format::child(lines, pid, peak, true)?;
            }
            mprof_format::child(lines, pid, sample, false)
        });
    }

    /// Writes what the looks have found of descendants that ended before a sample told it.
    fn write_ended(&mut self, now: Duration) {
        for ended in self.tree.ended() {
            let peak = ended.missed.map(|peak| self.sample_between(now, peak));
            self.output.add(|lines| {
                if let Some(peak) = peak {
                    mprof_format::child(lines, ended.pid, peak, true)?;
                }
                if !ended.is_exact {
                    mprof_format::at_most(lines, Some(ended.pid), None)?;
                }
                Ok(())
            });
        }
    }

    fn sample_at(&self, at: Duration, memory: u64) -> mprof_format::Sample {
        let time = self.epoch + at;
        mprof_format::Sample { memory, time }
    }

    /// At a time between the last look of the finder and now.
    fn sample_between(&self, now: Duration, memory: u64) -> mprof_format::Sample {
        self.sample_at(self.finder.middle(now), memory)
    }

    fn write_peak(&mut self, peak: Sample) {
        let sample = self.sample_at(peak.at, peak.bytes);
        self.output
            .add(|lines| mprof_format::memory(lines, sample, true));
        self.peak = self.peak.max(peak.bytes);
    }
}

/// Says that the time is over, but not for the process.
pub(super) fn say_stopped(name: &str, pid: u32) {
    eprintln!("memit: stopped recording; {name} (process {pid}) keeps running");
}

/// Holds back the signals that end programs by default, and that people send, and `more`.
///
/// # Errors
///
/// If the system gives no descriptor for them.
pub(super) fn hold_signals(more: &[i32]) -> io::Result<Signals> {
    Signals::hold(&[&[SIGINT, SIGTERM, SIGHUP], more].concat())
}
