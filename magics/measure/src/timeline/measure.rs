//! `%mprof`: runs statements once and watches their memory.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use memit_measurement::{Event, Failure, Measured, TimelineMeasurement};
use memit_session::abi::{Body, TimelinePlan};

use super::log::Log;
use super::measuring::MeasuringTimeline;
use super::recorder;
use super::watch::Watch;
use crate::board::Board;
use crate::common::COMMON;
use crate::fork::{Limits, Watcher};
use crate::host::Host;
use crate::run::{self, FIGURES};
use crate::sampling_thread::SamplingThread;
use crate::settle;
use crate::shared_common::SharedCommon;

/// Measures `body`.
pub(crate) fn measure(host: &'static Host, plan: TimelinePlan, body: Body) -> Measured {
    run(host, plan, body).map_or_else(Measured::Failed, Measured::Timeline)
}

fn run(
    host: &'static Host,
    plan: TimelinePlan,
    body: Body,
) -> Result<TimelineMeasurement, Failure> {
    let threads = host.threads();
    let system = |error: io::Error| run::refused(host, &error);
    let board = Board::new(FIGURES).map(Arc::new).map_err(system)?;
    let log = Log::new().map(Arc::new).map_err(system)?;
    settle::trim_heap();
    let watch = Watch::new(Arc::clone(&log), plan, threads);
    let (watch, ran) = if plan.isolated {
        let common = SharedCommon::new().map_err(system)?;
        run_forked(host, watch, log, &board, &common, body)
    } else {
        run_in_place(host, watch, log, &board, body).map_err(system)?
    };
    let (max_rss, failure) = match ran {
        Ok(max_rss) => (max_rss, None),
        Err(failure) => (failure.peak_rss, Some(failure)),
    };
    match failure {
        Some(failure) if !watch.has_begun() => Err(failure),
        failure => Ok(TimelineMeasurement {
            failure,
            outlasting: run::outlasting(&board),
            ..watch.measured(usize::MAX, max_rss)
        }),
    }
}

/// The watch, and, if the run finished, the highest resident set size of its process.
type Ran = (Watch, Result<Option<u64>, Failure>);

fn run_forked(
    host: &'static Host,
    mut watch: Watch,
    log: Arc<Log>,
    board: &Arc<Board>,
    common: &SharedCommon,
    body: Body,
) -> Ran {
    let (epoch, every) = (watch.epoch, watch.interval());
    let limits = Limits {
        small_pages: true,
        ..Limits::default()
    };
    let mut look = |pid| {
        watch.sample(pid, common.live());
        if let Some(progress) = watch.progress() {
            host.send(&Event::Progress(progress));
        }
    };
    let watcher = Watcher {
        every,
        look: &mut look,
    };
    let numbers = Arc::clone(board);
    let make = || MeasuringTimeline::new(numbers, Some(common), log, epoch);
    let ran = run::in_fork(host, body, board, limits, Some(watcher), make);
    (watch, ran.map(|finished| Some(finished.max_rss)))
}

fn run_in_place(
    host: &'static Host,
    watch: Watch,
    log: Arc<Log>,
    board: &Arc<Board>,
    body: Body,
) -> io::Result<Ran> {
    let epoch = watch.epoch;
    let thread = WatchingThread::start(host, watch)?;
    let numbers = Arc::clone(board);
    let make = || MeasuringTimeline::new(numbers, None, log, epoch);
    let ran = run::in_place(host, body, board, make);
    // A run that ended early has not ended its recording.
    recorder::end();
    Ok((thread.stop(host)?, ran.map(|()| None)))
}

/// The thread that watches an ordinary cell, whose variables stay.
static KEPT: Mutex<Option<WatchingThread>> = Mutex::new(None);

/// Watches the cell from now on, until [`end_cell`]. If the system refuses something, reports the
/// failure to the kernel, and the cell runs all the same.
pub(crate) fn keep(host: &'static Host, plan: TimelinePlan) {
    if let Err(error) = start_keeping(host, plan) {
        let failure = run::refused(host, &error);
        host.send(&Event::Kept(Measured::Failed(failure)));
    }
}

fn start_keeping(host: &'static Host, plan: TimelinePlan) -> io::Result<()> {
    let log = Log::new().map(Arc::new)?;
    settle::trim_heap();
    settle::map_code(&host.cell());
    let watch = Watch::new(Arc::clone(&log), plan, host.threads());
    let epoch = watch.epoch;
    let thread = WatchingThread::start(host, watch)?;
    recorder::prepare(log, epoch);
    recorder::begin(true);
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    Ok(())
}

/// Ends the measurement of a cell; `None` if the cell did not call [`keep`].
pub fn end_cell(host: &Host) -> Option<Measured> {
    let thread = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    recorder::end();
    Some(match thread.stop(host) {
        Ok(watch) => Measured::Timeline(watch.measured(usize::MAX, None)),
        Err(error) => Measured::Failed(run::refused(host, &error)),
    })
}

/// Samples this process, for runs in place.
struct WatchingThread {
    thread: SamplingThread<Watch>,
    /// Number of threads of the process without this thread.
    others: u32,
}

impl WatchingThread {
    fn start(host: &'static Host, watch: Watch) -> io::Result<Self> {
        let others = host.threads();
        let interval = watch.interval();
        let pid = std::process::id();
        let sample = move |watch: &mut Watch| {
            watch.sample(pid, Some(&COMMON));
            if let Some(progress) = watch.progress() {
                host.send(&Event::Progress(progress));
            }
        };
        let thread = SamplingThread::start("memory over time", interval, watch, sample)?;
        Ok(Self { thread, others })
    }

    fn stop(self, host: &Host) -> io::Result<Watch> {
        let watch = self.thread.stop();
        // The system counts the thread for a moment longer, and a session with threads gets no
        // checkpoint.
        let patience = Instant::now() + Duration::from_millis(100);
        while host.threads() > self.others && Instant::now() < patience {
            std::thread::sleep(Duration::from_micros(50));
        }
        watch
    }
}
