//! The readings that a run takes of itself.
//!
//! At the start, at the end, and at both ends of a span: with the exact peak since the reading
//! before, so that no peak is missed between two samples, and each is known by the span that it was in.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use memit_measurement::Moment;
use memit_process::resident;
use memit_session::abi::PhaseNumber;

use super::log::{Log, Reading};
use crate::common::COMMON;
use crate::heap;
use crate::rss::PeakMeter;

/// What the spans of this process go to, while a run is under way.
static CURRENT: Mutex<Option<Recorder>> = Mutex::new(None);

/// Runs that this process has recorded; a span of an earlier one may end in a later one.
static RUNS: AtomicU32 = AtomicU32::new(0);

struct Recorder {
    log: Arc<Log>,
    /// `None` where the system keeps no peak that can be set back.
    meter: Option<PeakMeter>,
    /// When the log's time began.
    epoch: Instant,
    /// A fork of the run's own making is not the run.
    process: u32,
    run: u32,
}

fn lock() -> MutexGuard<'static, Option<Recorder>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes ready for a run of this process. Everything is opened and passed once, so that what it
/// takes does not count as the run's.
pub(super) fn prepare(log: Arc<Log>, epoch: Instant) {
    let recorder = Recorder {
        meter: PeakMeter::open_if_wanted(),
        epoch,
        process: std::process::id(),
        run: RUNS.fetch_add(1, Relaxed) + 1,
        log,
    };
    recorder.log.touch();
    recorder.log.set_metered(recorder.meter.is_some());
    heap::start(true);
    heap::pass_hooks();
    recorder.read();
    heap::stop();
    *lock() = Some(recorder);
}

/// The run begins. `threaded` says whether the process has other threads.
pub(super) fn begin(threaded: bool) {
    let current = lock();
    let Some(recorder) = &*current else { return };
    recorder.log.set_base(heap::in_use());
    COMMON.children.store(0, Relaxed);
    heap::start(threaded);
    let mut reading = recorder.read();
    // What was before the start does not count, nor what reading took.
    (reading.peak_rss, reading.peak_heap) = (0, 0);
    reading.at.time_ns = recorder.now();
    recorder.log.run_begins(reading);
}

/// The run has ended, however. Nothing happens if it has not begun.
pub(super) fn end() {
    let Some(recorder) = lock().take() else {
        return;
    };
    if recorder.process == std::process::id() && recorder.log.is_open() {
        recorder.log.run_ends(recorder.read());
        heap::stop();
    }
}

/// A span begins. There is no phase to end if there is no run, or no room.
pub(crate) fn begin_span(label: &[u8]) -> PhaseNumber {
    with(|recorder| {
        let Some(span) = recorder.log.new_span(label) else {
            return PhaseNumber::NONE;
        };
        let mut reading = recorder.read();
        // What reading took is not the span's.
        reading.at.time_ns = recorder.now();
        recorder.log.span_begins(span, reading);
        PhaseNumber::new(recorder.run, span.number)
    })
}

/// A span ends that [`begin_span`] has begun.
pub(crate) fn end_span(phase: PhaseNumber) {
    with(|recorder| {
        if let Some(number) = phase.span_in(recorder.run) {
            recorder.log.span_ends(number, recorder.read());
        }
    });
}

/// A span that ends at once.
pub(crate) fn mark(label: &[u8]) {
    with(|recorder| {
        if let Some(span) = recorder.log.new_span(label) {
            let reading = recorder.read();
            recorder.log.span_begins(span, reading);
            let same = Reading {
                peak_rss: reading.at.rss,
                peak_heap: reading.at.heap,
                ..reading
            };
            recorder.log.span_ends(span.number, same);
        }
    });
}

fn with<T: Default>(use_it: impl FnOnce(&Recorder) -> T) -> T {
    let current = lock();
    let ours = current.as_ref().filter(|recorder| {
        // Before and behind the run nothing is recorded.
        recorder.process == std::process::id() && recorder.log.is_open()
    });
    ours.map(use_it).unwrap_or_default()
}

impl Recorder {
    /// Nanoseconds since the epoch.
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The memory now, with its peaks since the last call. Does not allocate.
    fn read(&self) -> Reading {
        let time_ns = self.now();
        let metered = self.meter.as_ref().and_then(|meter| {
            let resident = meter.read().ok()?;
            meter.reset().ok()?;
            Some(resident)
        });
        let (rss, peak_rss) = match metered {
            Some(resident) => (resident.now, resident.peak),
            None => (resident(), 0),
        };
        let live = COMMON.live.load(Relaxed);
        let peak = COMMON.peak.swap(live, Relaxed).max(live);
        // What has last been read of the children, if they are to be included. What they had at the
        // peak is not known.
        let rss = rss + COMMON.children.load(Relaxed);
        let peak_rss = if peak_rss == 0 { 0 } else { peak_rss.max(rss) };
        let heap = |live: i64| self.log.base().saturating_add_signed(live);
        Reading {
            at: Moment {
                time_ns,
                rss,
                heap: heap(live),
            },
            peak_rss,
            peak_heap: heap(peak),
        }
    }
}
