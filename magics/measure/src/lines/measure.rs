//! `%mprun` and `%lprun`: runs statements while their profiled functions count.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use memit_lines::{Clock, Kind};
use memit_measurement::{Failure, FailureKind, LinesMeasurement, Measured};
use memit_process::{children, process};
use memit_session::abi::{Backend, Body, Charge, LinesPlan};

use super::arena::Arena;
use super::clock::SyncPoint;
use super::figures::{Time, figures};
use super::measuring::{
    self, BASELINE, MeasuringLines, NUMBERS, PROBE_TICKS, PROBES, THREADED, WALL,
};
use super::sampler::{self, SAMPLING, Samples};
use super::{account, known};
use crate::board::Board;
use crate::fork::{self, Limits, Watcher};
use crate::host::Host;
use crate::run;
use crate::settle;

/// A shorter run has too few samples: a thousand at best.
const SHORT_NS: u64 = 100_000_000;
/// How often a short run is made without reading the clock, and again with it.
const SHORT_RUNS: u32 = 3;
/// Time between two readings of the memory of a run and of its children.
const WATCHING: Duration = Duration::from_millis(1);

/// Measures `body`.
pub(crate) fn measure(host: &'static Host, plan: LinesPlan, body: Body) -> Measured {
    let measured = if plan.charge == Charge::Memory || !plan.isolated {
        run_once(host, plan, body, None)
    } else {
        time(host, plan, body)
    };
    measured.map_or_else(Measured::Failed, Measured::Lines)
}

/// Samples a run. Runs the statements again with a clock reading at every probe, if the plan asks
/// for exact time or if the first run was too short.
///
/// The difference between the two runs is what the probes cost. Other programs make single runs
/// longer, never shorter, so the shortest of several short runs stands for each of the two.
fn time(host: &'static Host, plan: LinesPlan, body: Body) -> Result<LinesMeasurement, Failure> {
    let charge = |charge| LinesPlan { charge, ..plan };
    let run = |kind, unread_ns| run_once(host, charge(kind), body, unread_ns);
    let sampled = run(Charge::SampledTime, None)?;
    let is_short = sampled.wall_ns < SHORT_NS;
    let is_enough = plan.charge == Charge::SampledTime && !is_short;
    if is_enough || sampled.failure.is_some() {
        return Ok(sampled);
    }
    let runs = if is_short { SHORT_RUNS } else { 1 };
    let mut unread_ns = sampled.wall_ns;
    for _ in 1..runs {
        let again = run(Charge::SampledTime, Some(unread_ns))?;
        unread_ns = unread_ns.min(again.wall_ns);
    }
    let mut shortest = run(Charge::ExactTime, Some(unread_ns))?;
    for _ in 1..runs {
        if shortest.failure.is_some() {
            break;
        }
        let again = run(Charge::ExactTime, Some(unread_ns))?;
        if again.failure.is_some() || again.wall_ns < shortest.wall_ns {
            shortest = again;
        }
    }
    Ok(shortest)
}

/// Runs the statements once. `unread_ns` is the time of an earlier run, which has shown the output
/// and whose probes did not read the clock.
fn run_once(
    host: &'static Host,
    plan: LinesPlan,
    body: Body,
    unread_ns: Option<u64>,
) -> Result<LinesMeasurement, Failure> {
    let threads = host.threads();
    if plan.isolated && threads > 1 {
        return Err(run::failure(host, FailureKind::CannotFork, None));
    }
    let system = |error: std::io::Error| run::refused(host, &error);
    let board = Board::new(NUMBERS).map(Arc::new).map_err(system)?;
    settle::trim_heap();
    let began = SyncPoint::now();
    let started = Instant::now();
    let arena = plan.isolated.then(Arena::new).transpose();
    let arena = arena.map_err(system)?.map(Arc::new);
    let make = || MeasuringLines::new(Arc::clone(&board), arena.clone(), plan);
    let mut samples = Samples::new();
    let failure = if let Some(arena) = &arena {
        let limits = Limits {
            quiet: unread_ns.is_some(),
            small_pages: plan.charge == Charge::Memory && plan.backend != Backend::Heap,
            ..Limits::default()
        };
        let mut over = None;
        let mut look = |pid| look_at_run(pid, plan, arena, &mut samples, &mut over);
        let watcher = watched(plan).map(|every| Watcher {
            every,
            look: &mut look,
        });
        let ran = run::in_fork(host, body, &board, limits, watcher, make);
        let passed = arena.common().passed_limit.load(Relaxed);
        let passed = over.or((passed > 0).then_some(passed));
        if let (Some(reached), Some(limit)) = (passed, plan.limit()) {
            let cause = FailureKind::PassedLimit {
                limit,
                reached,
                refused: over.is_none(),
            };
            Some(run::failure(host, cause, None))
        } else {
            ran.err()
        }
    } else {
        let sampling = plan.charge == Charge::SampledTime;
        let thread = sampling.then(sampler::start_thread).transpose();
        let thread = thread.map_err(system)?;
        let ran = run::in_place(host, body, &board, make);
        // A panic or a `?` skips the callback that stops counting.
        measuring::stop();
        if let Some(thread) = thread {
            samples = thread.stop().map_err(system)?;
        }
        ran.err()
    };
    let tick_ns = began.tick_ns();
    let wall_ns = match board.get(WALL) {
        0 => u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX),
        wall => wall,
    };
    let probe_ns = match (unread_ns, board.get(PROBES)) {
        // Smaller differences are noise: the first run has caches to fill.
        (Some(unread), probes @ 1..) if wall_ns > unread + unread / 2 => {
            (wall_ns - unread) as f64 / probes as f64
        }
        _ => board.get(PROBE_TICKS) as f64 * tick_ns,
    };
    let time = match plan.charge {
        Charge::Memory => Time::None,
        Charge::SampledTime => Time::Sampled(&samples),
        Charge::ExactTime => Time::Exact { tick_ns, probe_ns },
    };
    let functions = if let Some(arena) = &arena {
        // In a run that ended early, lines are still running.
        let settled = arena.tables().inspect(|table| {
            if plan.charge == Charge::Memory && plan.backend == Backend::Heap {
                account::settle_late(*table, arena.common());
            }
        });
        figures(settled, time)
    } else {
        figures(known::all(), time)
    };
    known::forget();
    Ok(LinesMeasurement {
        functions,
        kind: kind(plan, &board, time),
        wall_ns,
        isolated: plan.isolated,
        threads,
        threaded: !plan.isolated || board.get(THREADED) != 0,
        outlasting: run::outlasting(&board),
        failure,
    })
}

/// The interval at which a run is looked at from outside, if that is needed.
fn watched(plan: LinesPlan) -> Option<Duration> {
    match plan.charge {
        Charge::SampledTime => Some(SAMPLING),
        Charge::ExactTime => None,
        Charge::Memory => {
            let by_heap = plan.backend == Backend::Heap;
            (plan.children || (plan.limit().is_some() && !by_heap)).then_some(WATCHING)
        }
    }
}

/// Looks at a run from outside. Kills the run and sets `over` when its memory passes the limit.
fn look_at_run(
    pid: u32,
    plan: LinesPlan,
    arena: &Arena,
    samples: &mut Samples,
    over: &mut Option<u64>,
) {
    if plan.charge == Charge::SampledTime {
        return samples.take(arena.tables());
    }
    let resident = process::resident(pid).unwrap_or(0);
    let mut all = resident;
    if plan.children {
        all = children::resident_with(pid);
        let theirs = all.saturating_sub(resident);
        arena.common().children.store(theirs, Relaxed);
        arena.common().children_peak.fetch_max(theirs, Relaxed);
    }
    if over.is_none() && plan.limit().is_some_and(|limit| all > limit) {
        *over = Some(all);
        fork::kill_group(pid.cast_signed());
    }
}

fn kind(plan: LinesPlan, board: &Board, time: Time<'_>) -> Kind {
    let clock = match time {
        Time::None => {
            return Kind::Memory {
                backend: plan.backend,
                children: plan.children,
                baseline: board.get(BASELINE),
            };
        }
        Time::Sampled(samples) => Clock::Sampled {
            interval_ns: u64::try_from(SAMPLING.as_nanos()).unwrap_or(0),
            samples: samples.met(),
        },
        Time::Exact { probe_ns, .. } => Clock::Exact { probe_ns },
    };
    Kind::Time { clock }
}
