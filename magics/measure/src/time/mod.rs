//! `%timeit`: how long a snippet takes.
//!
//! The generated code asks for runs until none is left. The code itself starts and stops the clock,
//! so that nothing but the loop lies between the two readings.

mod batch;
mod counting;
mod empty_loop;
mod measuring;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use memit_measurement::{Failure, FailureKind, Measured, MemoryRun, TimeMeasurement};
use memit_process::process;
use memit_session::abi::{Body, TimePlan};

use crate::board::Board;
use crate::fork::{self, Limits, Silence, Watcher};
use crate::host::Host;
use crate::memory;
use crate::run;
use counting::CountingHeap;
use measuring::{MeasuringTime, monotonic_ns};
use progress::{Number, Progress, Stage};

/// Target for the time of the pass that counts the heap, and limit of its executions.
const COUNT_NS: u64 = 20_000_000;
const COUNT_LOOPS: u64 = 1000;
/// Time between two looks at the memory of a timed run.
const WATCHING: Duration = Duration::from_millis(10);
/// The part of the free memory by which statements may grow what they work on.
const SHARE: u64 = 16;
/// Growth of the heap that a report mentions.
const MENTIONED: u64 = 1 << 20;

/// Measures `body`.
pub(crate) fn measure(host: &'static Host, plan: TimePlan, body: Body) -> Measured {
    measure_runs(host, plan, body).map_or_else(Measured::Failed, Measured::Time)
}

fn measure_runs(
    host: &'static Host,
    plan: TimePlan,
    body: Body,
) -> Result<TimeMeasurement, Failure> {
    let threads = host.threads();
    let refused = |error| run::refused(host, &error);
    let progress = Progress::new(plan.repeat).map_err(refused)?;
    let limit = process::available_memory() / SHARE;
    time(host, plan, body, &progress, limit)?;
    let runs = match progress.stage() {
        Stage::Running(done) => done,
        Stage::Ranging | Stage::Trying => 0,
    };
    let all_runs: Vec<u64> = (0..runs).map(|run| progress.time(run)).collect();
    let executions = progress.get(Number::Loops).max(1) * u64::from(runs.max(1));
    let mut measurement = TimeMeasurement {
        loops: progress.get(Number::Loops),
        all_runs,
        clock: plan.clock,
        empty_loop_ns: progress.float(Number::EmptyLoop),
        clock_error_ns: progress.get(Number::Error) as f64 / executions as f64,
        restarts: u32::try_from(progress.get(Number::Restarts)).unwrap_or(u32::MAX),
        outlasting: run::outlasting(&progress.board),
        isolated: plan.isolated,
        threads,
        ..TimeMeasurement::default()
    };

    let loops = if plan.fresh {
        1
    } else {
        count_loops(&measurement)
    };
    let board = Board::new(memory::NUMBERS).map(Arc::new).map_err(refused)?;
    let make = || CountingHeap::new(Arc::clone(&board), plan.isolated, loops);
    if plan.isolated {
        let limits = Limits {
            quiet: true,
            small_pages: true,
            ..Limits::default()
        };
        run::in_fork(host, body, &board, limits, None, make)?;
    } else {
        let _silence = Silence::begin();
        run::in_place(host, body, &board, make)?;
    }
    let mut counted = memory::figures(&board, 0);
    measurement.grown = count_growth(&mut counted, &progress, plan);
    measurement.memory = Some(counted);
    measurement.memory_loops = loops;
    measurement.source = memory::source(&board);
    Ok(measurement)
}

/// Makes all timed runs, in as many forks as it takes.
fn time(
    host: &'static Host,
    plan: TimePlan,
    body: Body,
    progress: &Progress,
    limit: u64,
) -> Result<(), Failure> {
    let stage = if plan.loops > 0 {
        Stage::Running(0)
    } else {
        Stage::Ranging
    };
    progress.begin(stage);
    progress.set(Number::Loops, plan.loops.max(1));
    let make = || MeasuringTime::new(progress.clone(), plan, limit);
    if !plan.isolated {
        return run::in_place(host, body, &progress.board, make)
            .map_err(|failure| explained(failure, plan, progress));
    }
    let resident = memit_process::resident();
    let mut limits = Limits::default();
    loop {
        let mut stopped = None;
        let mut look = |pid| {
            if stopped.is_none() {
                stopped = why_stop(pid, progress, limit, resident);
                if stopped.is_some() {
                    fork::kill_group(i32::try_from(pid).unwrap_or(0));
                }
            }
        };
        let watcher = Watcher {
            every: WATCHING,
            look: &mut look,
        };
        let ran = run::in_fork(host, body, &progress.board, limits, Some(watcher), make);
        limits.quiet = true;
        match (stopped, ran) {
            (Some(Stop::Grown(by)), Err(_)) => in_smaller_parts(progress, by),
            (Some(Stop::Stuck), Err(_)) => alone(progress),
            (_, Err(failure)) if progress.get(Number::Batch) > 1 => {
                // Executions that share something fail if all set-ups come first.
                if failure.cause == FailureKind::Interrupted {
                    return Err(failure);
                }
                alone(progress);
            }
            (_, Err(failure)) => {
                if !plan.fresh && progress.get(Number::FinishedOne) == 0 && has_failed(&failure) {
                    progress.begin(Stage::Trying);
                    let _ = run::in_fork(host, body, &progress.board, limits, None, make);
                }
                return Err(explained(failure, plan, progress));
            }
            (_, Ok(_)) if progress.take(Number::MustRestart) > 0 => {
                progress.add(Number::Restarts, 1);
            }
            (_, Ok(_)) => return Ok(()),
        }
    }
}

/// Why a run is ended from outside.
enum Stop {
    /// Its memory has grown by so many bytes.
    Grown(u64),
    /// A set-up waits for what an earlier set-up of the same batch holds.
    Stuck,
}

/// A set-up that takes so many times longer than the first is stuck, but not before some seconds.
const STUCK_TIMES: u64 = 20;
const STUCK_NS: u64 = 2_000_000_000;

fn why_stop(pid: u32, progress: &Progress, limit: u64, session: u64) -> Option<Stop> {
    let since = progress.get(Number::Preparing);
    if since > 0 {
        let usual = progress.get(Number::SetUp) * progress.get(Number::Batch) * STUCK_TIMES;
        let is_stuck = monotonic_ns().saturating_sub(since) > usual.max(STUCK_NS);
        return is_stuck.then_some(Stop::Stuck);
    }
    if progress.get(Number::Current) <= 1 {
        // What one execution takes is no growth.
        return None;
    }
    let first = progress.get(Number::FirstPeak).max(session);
    let resident = process::resident(pid).unwrap_or(0);
    let grown = resident.saturating_sub(first);
    (grown > limit + limit / 4).then_some(Stop::Grown(grown))
}

/// Executes fewer statements at once from now on, because the memory has grown by so many bytes.
fn in_smaller_parts(progress: &Progress, grown: u64) {
    if progress.get(Number::FirstPeak) == 0 {
        // One execution may take so much.
        progress.begin(Stage::Trying);
        return;
    }
    let part = (progress.get(Number::Current) / 10).max(1);
    progress.raise(Number::Grown, grown);
    progress.add(Number::Restarts, 1);
    progress.set(Number::AtOnce, part);
    if progress.stage() == Stage::Ranging {
        progress.set(Number::Loops, part);
        progress.begin(Stage::Running(0));
    }
    progress.set(Number::Current, 0);
}

/// Executes each statement behind its set-up from now on.
fn alone(progress: &Progress) {
    progress.set(Number::Alone, 1);
    for number in [Number::Batch, Number::Preparing, Number::Current] {
        progress.set(number, 0);
    }
}

/// Whether the statements themselves have failed.
fn has_failed(failure: &Failure) -> bool {
    matches!(
        failure.cause,
        FailureKind::Panic(_) | FailureKind::Returned { .. }
    )
}

/// The failure, and whether a fresh set-up would have prevented it.
fn explained(failure: Failure, plan: TimePlan, progress: &Progress) -> Failure {
    let finished_one = progress.get(Number::FinishedOne) > 0;
    Failure {
        needs_fresh: finished_one && !plan.fresh && has_failed(&failure),
        ..failure
    }
}

/// The growth of the heap over the loops, which the peak of the counting pass does not show: the pass
/// has fewer loops. Puts the peak of the timed runs in its place.
fn count_growth(counted: &mut MemoryRun, progress: &Progress, plan: TimePlan) -> u64 {
    let baseline = progress.get(Number::Baseline);
    let timed = progress.get(Number::Peak) - baseline;
    // The process of the timed runs has pages that the counting process lacks. A batch of set-ups
    // takes memory of its own.
    let more = timed.saturating_sub(counted.increment + counted.increment / 8);
    let is_more = more >= MENTIONED && !plan.fresh;
    let grown = progress.get(Number::Grown);
    // Repeated allocations leave gaps, so only much more resident memory is growth.
    let has_grown = is_more && more >= counted.increment;
    let grown = if has_grown { grown.max(more) } else { grown };
    if timed > counted.increment && (is_more || grown >= MENTIONED) {
        counted.baseline_rss = baseline;
        counted.peak_rss = progress.get(Number::Peak);
        counted.increment = timed;
    }
    if grown < MENTIONED { 0 } else { grown }
}

/// Executions of the counting pass: enough for an average, too few to be noticed.
fn count_loops(measurement: &TimeMeasurement) -> u64 {
    let fastest = measurement.all_runs.iter().min().copied().unwrap_or(0);
    let per_loop = (fastest / measurement.loops.max(1)).max(1);
    (COUNT_NS / per_loop).clamp(1, COUNT_LOOPS.min(measurement.loops.max(1)))
}
