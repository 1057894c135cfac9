//! `%mprof`: statements run once, and their memory is watched.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::data::TimelineMeasurement;
use super::log::Log;
use super::probe::TimelineProbe;
use super::recorder;
use super::watch::Watch;
use crate::board::Board;
use crate::fork::{Limits, Pace, Watcher};
use crate::lines::COMMON;
use crate::lines::arena::Arena;
use crate::link::Event;
use crate::measurement::{Failure, FailureKind, Measured};
use crate::probe::Probe;
use crate::run::{self, Body, FIGURES};
use crate::session::Session;
use crate::{heap, settle};

/// What is asked of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Time between two samples.
    pub(crate) interval: Duration,
    /// Child processes are included.
    pub(crate) children: bool,
    pub(crate) isolated: bool,
}

/// Measures `body` and reports to the kernel.
pub(crate) fn measure(session: &'static Session, plan: Plan, body: Body) {
    session.measure(|| match run(session, plan, body) {
        Ok(measured) => Measured::Timeline(measured),
        Err(failure) => Measured::Failed(failure),
    });
}

fn run(session: &'static Session, plan: Plan, body: Body) -> Result<TimelineMeasurement, Failure> {
    let threads = session.threads();
    if plan.isolated && threads > 1 {
        return Err(run::failure(session, FailureKind::CannotFork, None));
    }
    let system = |error: io::Error| run::refused(session, &error);
    let board = Board::new(FIGURES).map(Arc::new).map_err(system)?;
    let log = Log::new().map(Arc::new).map_err(system)?;
    settle::trim_heap();
    let watch = Watch::new(Arc::clone(&log), plan, threads);
    let (watch, ran) = if plan.isolated {
        let arena = Arena::new().map(Arc::new).map_err(system)?;
        run_forked(session, watch, log, &board, &arena, body)
    } else {
        run_in_place(session, watch, log, &board, body).map_err(system)?
    };
    let (max_rss, failure) = match ran {
        Ok(max_rss) => (max_rss, None),
        Err(failure) => (failure.peak_rss, Some(failure)),
    };
    match failure {
        Some(failure) if !watch.has_begun() => Err(failure),
        failure => Ok(TimelineMeasurement {
            failure,
            ..watch.measured(usize::MAX, max_rss)
        }),
    }
}

/// The watch, and the highest resident set size of the run's process if the run came to its end.
type Ran = (Watch, Result<Option<u64>, Failure>);

fn run_forked(
    session: &'static Session,
    mut watch: Watch,
    log: Arc<Log>,
    board: &Arc<Board>,
    arena: &Arc<Arena>,
    body: Body,
) -> Ran {
    let (epoch, every) = (watch.epoch, watch.interval());
    let limits = Limits {
        small_pages: true,
        ..Limits::default()
    };
    let mut look = |pid| {
        watch.sample(pid, arena.live_common());
        if let Some(progress) = watch.progress() {
            session.send(&Event::Progress(progress));
        }
    };
    let watcher = Watcher {
        every,
        look: &mut look,
    };
    let numbers = Arc::clone(board);
    let make_probe = || {
        let arena = Some(Arc::clone(arena));
        Probe::Timeline(TimelineProbe::new(numbers, arena, log, epoch))
    };
    let ran = run::in_fork(session, body, board, limits, Some(watcher), make_probe);
    (watch, ran.map(|finished| Some(finished.max_rss)))
}

fn run_in_place(
    session: &'static Session,
    watch: Watch,
    log: Arc<Log>,
    board: &Arc<Board>,
    body: Body,
) -> io::Result<Ran> {
    let epoch = watch.epoch;
    let thread = WatchingThread::start(session, watch)?;
    let numbers = Arc::clone(board);
    let make_probe = || Probe::Timeline(TimelineProbe::new(numbers, None, log, epoch));
    let ran = run::in_place(session, body, board, make_probe);
    // It may not have come to its end.
    recorder::end();
    Ok((thread.stop(session)?, ran.map(|()| None)))
}

/// A run that is an ordinary cell, whose variables stay.
static KEPT: Mutex<Option<WatchingThread>> = Mutex::new(None);

/// Watches what the cell does from now on, until [`end_cell`]. If the system refuses what that
/// takes, the kernel is told, and the cell runs all the same.
pub(crate) fn keep(session: &'static Session, plan: Plan) {
    if let Err(error) = start_keeping(session, plan) {
        let failure = run::refused(session, &error);
        session.send(&Event::Kept(Measured::Failed(failure)));
    }
}

fn start_keeping(session: &'static Session, plan: Plan) -> io::Result<()> {
    let log = Log::new().map(Arc::new)?;
    settle::trim_heap();
    settle::map_code(&session.cell());
    let watch = Watch::new(Arc::clone(&log), plan, session.threads());
    let epoch = watch.epoch;
    let thread = WatchingThread::start(session, watch)?;
    recorder::prepare(log, epoch);
    recorder::begin(true);
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    Ok(())
}

/// The cell has run; what was measured of it, if [`keep`] was called in it.
pub(crate) fn end_cell(session: &Session) -> Option<Measured> {
    let thread = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    recorder::end();
    Some(match thread.stop(session) {
        Ok(watch) => Measured::Timeline(watch.measured(usize::MAX, None)),
        Err(error) => Measured::Failed(run::refused(session, &error)),
    })
}

/// Samples this process, for runs in place.
struct WatchingThread {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Watch>,
    /// Threads of the process without it.
    others: u32,
}

impl WatchingThread {
    fn start(session: &'static Session, mut watch: Watch) -> io::Result<Self> {
        let others = session.threads();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("memory over time".to_owned())
            .spawn(move || {
                heap::set_thread_aside();
                let pid = std::process::id();
                let mut pace = Pace::new(watch.interval());
                while !stopped.load(Relaxed) {
                    std::thread::sleep(pace.pause());
                    watch.sample(pid, Some(&COMMON));
                    if let Some(progress) = watch.progress() {
                        session.send(&Event::Progress(progress));
                    }
                }
                watch
            })?;
        Ok(Self {
            stop,
            thread,
            others,
        })
    }

    fn stop(self, session: &Session) -> io::Result<Watch> {
        self.stop.store(true, Relaxed);
        let watch = self.thread.join();
        // The system counts it for a moment longer, and a session with threads has no checkpoint.
        let patience = Instant::now() + Duration::from_millis(100);
        while session.threads() > self.others && Instant::now() < patience {
            std::thread::sleep(Duration::from_micros(50));
        }
        watch.map_err(|_| io::Error::other("the thread that samples has panicked"))
    }
}
