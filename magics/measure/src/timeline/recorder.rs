//! The readings that a run takes of its own memory.
//!
//! A run reads its memory at its start, at its end, and at both ends of each span. A reading
//! includes the exact peak since the previous reading. No peak between two samples is therefore
//! missed, and each peak belongs to a known span.

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

/// The recorder of the run under way, to which the spans of this process go.
static CURRENT: Mutex<Option<Recorder>> = Mutex::new(None);

/// Number of runs that this process has recorded. A span of an earlier run may end in a later run.
static RUNS: AtomicU32 = AtomicU32::new(0);

struct Recorder {
    log: Arc<Log>,
    /// `None` if the system has no peak that can be reset.
    meter: Option<PeakMeter>,
    /// Zero of the log's time.
    epoch: Instant,
    /// Id of the run's process. A fork that the run makes is not recorded.
    process: u32,
    run: u32,
}

fn lock() -> MutexGuard<'static, Option<Recorder>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prepares a run in this process. Opens every file and runs every path once, so that the memory
/// for that does not count as the run's.
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

/// Begins the run. `threaded` says whether the process has other threads.
pub(super) fn begin(threaded: bool) {
    let current = lock();
    let Some(recorder) = &*current else { return };
    recorder.log.set_base(heap::in_use());
    COMMON.children.store(0, Relaxed);
    heap::start(threaded);
    let mut reading = recorder.read();
    // Earlier peaks do not count, and neither does the time of the reading.
    (reading.peak_rss, reading.peak_heap) = (0, 0);
    reading.at.time_ns = recorder.now();
    recorder.log.run_begins(reading);
}

/// Ends the run, whether it finished or not. Does nothing if the run has not begun.
pub(super) fn end() {
    let Some(recorder) = lock().take() else {
        return;
    };
    if recorder.process == std::process::id() && recorder.log.is_open() {
        recorder.log.run_ends(recorder.read());
        heap::stop();
    }
}

/// Begins a span. The number is [`PhaseNumber::NONE`] if no run is recorded, or if the log is full.
pub(crate) fn begin_span(label: &[u8]) -> PhaseNumber {
    with(|recorder| {
        let Some(span) = recorder.log.new_span(label) else {
            return PhaseNumber::NONE;
        };
        let mut reading = recorder.read();
        // The time of the reading is not the span's.
        reading.at.time_ns = recorder.now();
        recorder.log.span_begins(span, reading);
        PhaseNumber::new(recorder.run, span.number)
    })
}

/// Ends a span that [`begin_span`] has begun.
pub(crate) fn end_span(phase: PhaseNumber) {
    with(|recorder| {
        if let Some(number) = phase.span_in(recorder.run) {
            recorder.log.span_ends(number, recorder.read());
        }
    });
}

/// Records a span that ends at once.
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
        // Nothing is recorded before and after the run.
        recorder.process == std::process::id() && recorder.log.is_open()
    });
    ours.map(use_it).unwrap_or_default()
}

impl Recorder {
    /// Nanoseconds since the epoch.
    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Reads the memory, with its peaks since the last call. Does not allocate.
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
        // Add the last reading of the children, which is 0 if they are not included. Their memory
        // at the peak is not known.
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
