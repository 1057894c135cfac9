//! Samples a run: from the process that started it, or, if it runs in place, from a thread.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use memit_measurement::{Point, Source, TimelineMeasurement};
use memit_process::{PeakFinder, Sample};
use memit_session::abi::TimelinePlan;
use memit_session::lines::counters::Common;

use super::assemble::assemble;
use super::log::Log;
use super::thinned::Thinned;

/// Time between two reports of progress.
const SHOW_EVERY: Duration = Duration::from_millis(250);
/// Points of a series in a report of progress.
const SHOWN: usize = 400;
/// Spans in a report of progress, the longest.
const SHOWN_SPANS: usize = 100;

/// A run and its samples.
pub(super) struct Watch {
    log: Arc<Log>,
    plan: TimelinePlan,
    threads: u32,
    /// Zero of the log's time.
    pub(super) epoch: Instant,
    resident: ResidentReader,
    rss: Thinned,
    rss_peaks: PeakFinder,
    /// Samples of the RSS since the last look for a peak, which may be among them.
    recent: Vec<Point>,
    heap: Thinned,
    heap_peaks: PeakFinder,
    samples: u64,
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
            resident: ResidentReader::new(plan.children),
            rss: Thinned::new(),
            rss_peaks: PeakFinder::default(),
            recent: Vec::with_capacity(PeakFinder::samples_between_looks(plan.interval())),
            heap: Thinned::new(),
            heap_peaks: PeakFinder::default(),
            samples: 0,
            shown: now,
        }
    }

    /// Time between two samples.
    pub(super) fn interval(&self) -> Duration {
        self.plan.interval()
    }

    /// Samples the process `pid`, if its run is under way. `common` holds the counts of that
    /// process, if we can see them.
    pub(super) fn sample(&mut self, pid: u32, common: Option<&Common>) {
        if !self.log.is_open() {
            return;
        }
        let now = self.epoch.elapsed();
        let must_look = self.plan.children || self.rss_peaks.must_look(now);
        if let Some(seen) = self.resident.read(pid, must_look) {
            if let Some(common) = common {
                common.children.store(seen.children, Relaxed);
            }
            self.add_rss(now, &seen, must_look);
        }
        if let Some(common) = common.filter(|_| cfg!(heap_hooks)) {
            let base = self.log.base();
            let bytes = |live: i64| base.saturating_add_signed(live);
            let live = bytes(common.live.load(Relaxed));
            let highest = bytes(common.highest.load(Relaxed));
            self.add_heap(now, live, highest);
        }
        self.samples += 1;
    }

    fn add_rss(&mut self, at: Duration, seen: &Seen, must_look: bool) {
        let bytes = seen.memory;
        self.rss_peaks.push(Sample { at, bytes });
        self.recent.push(point(at, bytes));
        if !must_look {
            return;
        }
        if let Some(peak) = self.rss_peaks.look(seen.missed) {
            let peak = point(peak.at, peak.bytes);
            let place = self
                .recent
                .partition_point(|one| one.time_ns <= peak.time_ns);
            self.recent.insert(place, peak);
        }
        for point in self.recent.drain(..) {
            self.rss.push(point);
        }
    }

    /// Adds a sample of the heap with `mark`, the high-water mark of the heap at the sample.
    fn add_heap(&mut self, at: Duration, bytes: u64, mark: u64) {
        self.heap_peaks.push(Sample { at, bytes });
        let peak = self.heap_peaks.look(Some(mark));
        // Before the first sample, no time is known at which a peak may have been.
        if let Some(peak) = peak.filter(|_| self.samples > 0) {
            self.heap.push(point(peak.at, peak.bytes));
        }
        self.heap.push(point(at, bytes));
    }

    /// The measurement so far, if it is time to show one.
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

    /// The measurement, with at most about twice `most` points in a series. `max_rss` is the peak
    /// of the whole life of the run's process.
    pub(super) fn measured(&self, most: usize, max_rss: Option<u64>) -> TimelineMeasurement {
        let (mut rss, heap) = (self.rss.points(most), self.heap.points(most));
        rss.extend(&self.recent);
        let source = match max_rss {
            _ if self.log.is_metered() => Source::Vmhwm,
            Some(_) => Source::Maxrss,
            None => Source::Sampled,
        };
        let assembled = assemble(&self.log.entries(), &rss, &heap, max_rss);
        let run = assembled.run;
        let since = |time_ns: u64| Duration::from_nanos(time_ns);
        // The time of the wall clock at which the run began.
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
            outlasting: 0,
            failure: None,
        }
    }

    /// Whether the run has begun.
    pub(super) fn has_begun(&self) -> bool {
        !self.log.entries().is_empty()
    }
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

/// The RSS of a process at a sample, in bytes.
struct Seen {
    memory: u64,
    /// A peak since the last look.
    missed: Option<u64>,
    /// The part of `memory` that belongs to the children.
    children: u64,
}

/// Reads the RSS of one process, by files that stay open.
#[cfg(target_os = "linux")]
struct ResidentReader {
    tree: Option<memit_process::Tree>,
    children: bool,
}

#[cfg(target_os = "linux")]
impl ResidentReader {
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

/// On other systems, a process can only read its own RSS.
#[cfg(not(target_os = "linux"))]
struct ResidentReader;

#[cfg(not(target_os = "linux"))]
impl ResidentReader {
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
