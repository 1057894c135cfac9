//! The samples that are taken of a run while it runs: from the process that started it, or, of a run
//! in place, from a thread.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::assemble::{assemble, put_peak};
use super::log::Log;
use super::thinned::Thinned;

use memit_measurement::{Point, Source, TimelineMeasurement};
use memit_session::abi::TimelinePlan;
use memit_session::lines::counters::Common;

/// Time between samples that look for a peak since the one before, which take longer.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Time between two looks at how far the run has come.
const SHOW_EVERY: Duration = Duration::from_millis(250);
/// Points of a series that are shown meanwhile.
const SHOWN: usize = 400;
/// Spans that are shown meanwhile, the longest.
const SHOWN_SPANS: usize = 100;

/// A run, and what has been sampled of it.
pub(super) struct Watch {
    log: Arc<Log>,
    plan: TimelinePlan,
    threads: u32,
    /// When the log's time began.
    pub(super) epoch: Instant,
    resident: Resident,
    rss: Thinned,
    /// Samples of the resident memory since it was last looked for a peak; the first is that which
    /// did, and is among the others already.
    recent: Vec<Point>,
    heap: Thinned,
    samples: u64,
    /// Highest live heap at the last sample, above that at the start.
    highest: i64,
    /// From the epoch, when the last sample was taken, and the last that looked for a peak.
    sampled: Duration,
    looked: Option<Duration>,
    shown: Instant,
}

impl Watch {
    pub(super) fn new(log: Arc<Log>, plan: TimelinePlan, threads: u32) -> Self {
        let now = Instant::now();
        Self {
            log,
            plan,
            threads,
            epoch: now,
            resident: Resident::new(plan.children),
            rss: Thinned::new(),
            recent: Vec::with_capacity(recent(plan.interval())),
            heap: Thinned::new(),
            samples: 0,
            highest: 0,
            sampled: Duration::ZERO,
            looked: None,
            shown: now,
        }
    }

    /// Time between two samples.
    pub(super) fn interval(&self) -> Duration {
        self.plan.interval()
    }

    /// Samples the process `pid`, if its run is under way. `common` is what that counts in, if it can
    /// be seen.
    pub(super) fn sample(&mut self, pid: u32, common: Option<&Common>) {
        if !self.log.is_open() {
            return;
        }
        let now = self.epoch.elapsed();
        let is_thorough = self
            .looked
            .is_none_or(|looked| self.plan.children || now >= looked + LOOK_EVERY);
        let seen = self.resident.read(pid, is_thorough);
        if let Some(Seen {
            memory,
            missed,
            children,
        }) = seen
        {
            if let Some(common) = common {
                common.children.store(children, Relaxed);
            }
            self.recent.push(point(now, memory));
            if let Some(peak) = missed {
                put_peak(&mut self.recent, 0, peak);
            }
            if is_thorough {
                self.keep_recent();
            }
        }
        if let Some(common) = common.filter(|_| cfg!(heap_hooks)) {
            let live = common.live.load(Relaxed);
            let highest = common.highest.load(Relaxed);
            let base = self.log.base();
            let bytes = |live: i64| base.saturating_add_signed(live);
            // The first sample knows of no time before it in which a peak may have been.
            if highest > self.highest.max(live) && self.samples > 0 {
                let between = self.sampled + now.saturating_sub(self.sampled) / 2;
                self.heap.push(point(between, bytes(highest)));
            }
            self.heap.push(point(now, bytes(live)));
            self.highest = highest.max(live);
        }
        self.samples += 1;
        self.sampled = now;
        if is_thorough {
            self.looked = Some(now);
        }
    }

    /// How many of the recent samples are among the others.
    fn known(&self) -> usize {
        usize::from(self.looked.is_some())
    }

    fn keep_recent(&mut self) {
        for point in self.recent.iter().skip(self.known()) {
            self.rss.push(*point);
        }
        let last = self.recent.pop();
        self.recent.clear();
        self.recent.extend(last);
    }

    /// What there is so far, if it is time to show it.
    pub(super) fn progress(&mut self) -> Option<TimelineMeasurement> {
        if self.samples == 0 || self.shown.elapsed() < SHOW_EVERY {
            return None;
        }
        self.shown = Instant::now();
        let mut measured = self.measured(SHOWN, None);
        let spans = &mut measured.spans;
        if spans.len() > SHOWN_SPANS {
            spans.sort_by_key(|span| Reverse(span.end.time_ns - span.start.time_ns));
            measured.left_out += (spans.len() - SHOWN_SPANS) as u64;
            spans.truncate(SHOWN_SPANS);
            spans.sort_by_key(|span| span.start.time_ns);
        }
        Some(measured)
    }

    /// What was measured, with at most about twice as many points in a series as `most`.
    /// `max_rss` is a peak of the whole life of the run's process.
    pub(super) fn measured(&self, most: usize, max_rss: Option<u64>) -> TimelineMeasurement {
        let (mut rss, heap) = (self.rss.points(most), self.heap.points(most));
        rss.extend(self.recent.iter().skip(self.known()));
        let source = match max_rss {
            _ if self.log.is_metered() => Source::Vmhwm,
            Some(_) => Source::Maxrss,
            None => Source::Sampled,
        };
        let assembled = assemble(&self.log.entries(), &rss, &heap, max_rss);
        let run = assembled.run;
        let since = |time_ns: u64| Duration::from_nanos(time_ns);
        // The wall clock's reading of when the run began.
        let ago = self.epoch.elapsed().saturating_sub(since(run.start));
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        let started = started.unwrap_or_default().saturating_sub(ago);
        TimelineMeasurement {
            rss: assembled.rss,
            heap: assembled.heap,
            spans: assembled.spans,
            left_out: self.log.left_out(),
            samples: self.samples,
            interval_ns: self.plan.interval_ns,
            started_ns: nanoseconds(started),
            wall_ns: run.end - run.start,
            source,
            children: self.plan.children,
            isolated: self.plan.isolated,
            threads: self.threads,
            failure: None,
        }
    }

    /// Whether the run has begun.
    pub(super) fn has_begun(&self) -> bool {
        !self.log.entries().is_empty()
    }
}

/// How many samples there are from one that looks for a peak to the next, and a peak.
fn recent(interval: Duration) -> usize {
    let samples = LOOK_EVERY.as_nanos() / interval.as_nanos().max(1);
    usize::try_from(samples).unwrap_or(0) + 2
}

fn point(at: Duration, bytes: u64) -> Point {
    Point {
        time_ns: nanoseconds(at),
        bytes,
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The resident memory of a process at a sample.
struct Seen {
    memory: u64,
    /// A peak since the sample before.
    missed: Option<u64>,
    /// What of `memory` is that of its children.
    children: u64,
}

/// Reads the resident memory of one process, by files that stay open.
#[cfg(target_os = "linux")]
struct Resident {
    tree: Option<memit_process::Tree>,
    children: bool,
}

#[cfg(target_os = "linux")]
impl Resident {
    fn new(children: bool) -> Self {
        Self {
            tree: None,
            children,
        }
    }

    fn read(&mut self, pid: u32, is_thorough: bool) -> Option<Seen> {
        use memit_process::{Observed, Tree};
        use memit_session::abi::Backend;
        if self.tree.is_none() {
            self.tree = Tree::running(pid, Backend::Rss, self.children).ok();
        }
        let tree = self.tree.as_mut()?;
        tree.sample(is_thorough);
        let own = tree.root()?;
        let Observed { memory, missed } = if self.children { tree.sum()? } else { own };
        Some(Seen {
            memory,
            missed,
            children: memory.saturating_sub(own.memory),
        })
    }
}

/// Elsewhere a process can only ask for its own.
#[cfg(not(target_os = "linux"))]
struct Resident;

#[cfg(not(target_os = "linux"))]
impl Resident {
    fn new(_children: bool) -> Self {
        Self
    }

    fn read(&mut self, pid: u32, _is_thorough: bool) -> Option<Seen> {
        (pid == std::process::id()).then(|| Seen {
            memory: memit_process::resident(),
            missed: None,
            children: 0,
        })
    }
}
