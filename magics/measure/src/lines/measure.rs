//! `%mprun` and `%lprun`: runs statements while their profiled functions count.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use memit_lines::{Clock, Kind, NoTotal, Total};
use memit_measurement::{Failure, FailureKind, LinesMeasurement, Measured, Timing};
use memit_process::{children, process};
use memit_session::abi::{Backend, Body, Charge, LinesPlan};

use super::account;
use super::arena::Arena;
use super::clock::SyncPoint;
use super::counting;
use super::figures::figures;
use super::measuring::{
    self, BASELINE, MeasuringLines, Memory, NUMBERS, PROBE_TICKS, SHARED, THREADED, WALL,
};
use super::record::Record;
use super::sampler::{self, Samples};
use crate::board::Board;
use crate::fork::{self, Limits, Watcher};
use crate::host::Host;
use crate::run;
use crate::settle;
use crate::shared_common::SharedCommon;

/// Time between two readings of the memory of a run and of its children.
const WATCHING: Duration = Duration::from_millis(1);

/// Measures `body`.
pub(crate) fn measure(host: &'static Host, plan: LinesPlan, body: Body) -> Measured {
    let statements = Statements { host, plan, body };
    let measured = match plan.charge {
        _ if !plan.isolated => statements.run(false, Some(&mut Samples::new())),
        Charge::Memory => statements.run(false, None),
        Charge::SampledTime => statements.sampled(),
        Charge::ExactTime => statements.exact(false, false),
        Charge::WholeTime => statements.whole(),
    };
    measured.map_or_else(Measured::Failed, Measured::Lines)
}

/// Time of the statements without probes in nanoseconds, if the times of `measured` must be compared with
/// such a run, the functions can run without probes, and the statements come to their end. Such a run is
/// no cell of its own, as the plain run of a magic at the top of a cell is.
///
/// # Errors
///
/// If the user has interrupted the run.
pub(crate) fn plain_ns(
    host: &'static Host,
    plan: LinesPlan,
    body: Body,
    measured: &LinesMeasurement,
) -> Result<Option<u64>, Failure> {
    let timing = measured.timing.as_ref();
    if !timing.is_some_and(|timing| timing.switched) || !measured.needs_plain_run() {
        return Ok(None);
    }
    let statements = Statements { host, plan, body };
    let failure = match statements.charged(Charge::WholeTime).whole() {
        Ok(LinesMeasurement {
            failure: None,
            wall_ns,
            ..
        }) => return Ok(Some(wall_ns)),
        Ok(LinesMeasurement {
            failure: Some(failure),
            ..
        })
        | Err(failure) => failure,
    };
    match failure.cause {
        FailureKind::Interrupted => Err(failure),
        _ => Ok(None),
    }
}

/// Statements to measure.
#[derive(Clone, Copy)]
struct Statements {
    host: &'static Host,
    plan: LinesPlan,
    body: Body,
}

/// Samples that make the share of a line right within 3 points, nineteen times of twenty.
const ENOUGH: f64 = 1000.0;
/// Fewer samples say too little.
const FEW: f64 = 50.0;
/// In a longer run, few samples are due to a busy machine.
const SHORT_NS: u64 = 1_000_000;
/// Time that repeated runs may take.
const PATIENCE: Duration = Duration::from_millis(700);
/// A longer run is not repeated for a second time.
const LONG: Duration = Duration::from_secs(3);
/// Runs that are made at most.
const RUNS: u32 = 100;
/// How often a run is made with a clock reading at every probe.
const EXACT_RUNS: u32 = 3;
/// How often a run is made without samples.
const UNWATCHED_RUNS: u32 = 10;
/// Time between two samples of a short run.
const SHORT_SAMPLING: Duration = Duration::from_micros(10);

impl Statements {
    fn charged(self, charge: Charge) -> Self {
        let plan = LinesPlan {
            charge,
            ..self.plan
        };
        Self { plan, ..self }
    }

    /// Whether the statements may run again: what the last run has sent to a socket or a pipe stays, so
    /// each run would send more.
    fn may_repeat(self) -> bool {
        !self.host.has_changed_outside()
    }

    /// Samples a run. Repeats a short run until there are enough samples.
    ///
    /// The first of several runs shows the output and fills caches, so its samples do not count.
    fn sampled(self) -> Result<LinesMeasurement, Failure> {
        let mut samples = Samples::new();
        let mut measured = self.run(false, Some(&mut samples))?;
        let is_long = measured.wall_ns > 1_000_000_000;
        if measured.failure.is_some() || samples.effective() >= ENOUGH || is_long {
            return Ok(measured);
        }
        if !self.may_repeat() {
            let says_something = samples.effective() >= FEW || measured.wall_ns >= SHORT_NS;
            return if says_something {
                Ok(measured)
            } else {
                self.charged(Charge::ExactTime).exact(true, true)
            };
        }
        let began = Instant::now();
        let mut samples = Samples::every(SHORT_SAMPLING);
        let mut shortest = measured.wall_ns;
        for runs in 1..=RUNS {
            let before = samples.clone();
            measured = self.run(true, Some(&mut samples))?;
            if measured.failure.is_some() {
                return Ok(measured);
            }
            if measured.wall_ns > 2 * shortest {
                // Another program was in the way: where such a run spends its time says little.
                samples.take_back(before);
            }
            shortest = shortest.min(measured.wall_ns);
            set_runs(&mut measured, runs);
            if samples.effective() >= ENOUGH || began.elapsed() > PATIENCE {
                break;
            }
        }
        let is_short = shortest < SHORT_NS || samples.met() == 0;
        if samples.effective() < FEW && is_short {
            return self.charged(Charge::ExactTime).exact(true, true);
        }
        measured.wall_ns = self.unwatched(shortest)?;
        Ok(measured)
    }

    /// Time of the shortest run, in nanoseconds: of those so far, or of some more with probes. Nobody
    /// takes samples of these: a sampler that looks often takes a processor from the threads of a run.
    fn unwatched(self, mut shortest: u64) -> Result<u64, Failure> {
        let began = Instant::now();
        for _ in 0..UNWATCHED_RUNS {
            let run = self.run(true, None)?;
            if run.failure.is_some() {
                break;
            }
            shortest = shortest.min(run.wall_ns);
            if began.elapsed() > PATIENCE / 4 {
                break;
            }
        }
        Ok(shortest)
    }

    /// Reads the clock at every probe, in the shortest of a few runs: other programs make single runs
    /// longer, never shorter. `quiet` says that an earlier run has shown the output.
    fn exact(self, quiet: bool, too_short: bool) -> Result<LinesMeasurement, Failure> {
        let began = Instant::now();
        let run = |quiet| self.run(quiet, None);
        let mut shortest = run(quiet)?;
        for _ in 1..EXACT_RUNS {
            let is_done = shortest.failure.is_some() || began.elapsed() > PATIENCE;
            if is_done || !self.may_repeat() {
                break;
            }
            let again = run(true)?;
            if again.failure.is_some() || again.wall_ns < shortest.wall_ns {
                shortest = again;
            }
        }
        if let Kind::Time {
            clock: Clock::Exact { too_short: is, .. },
            ..
        } = &mut shortest.kind
        {
            *is = too_short;
        }
        Ok(shortest)
    }

    /// The time of the shortest of several runs.
    fn whole(self) -> Result<LinesMeasurement, Failure> {
        let began = Instant::now();
        let mut shortest: Option<LinesMeasurement> = None;
        for run in 0..RUNS {
            let again = self.run(true, None)?;
            if again.failure.is_some() {
                return Ok(again);
            }
            if shortest
                .as_ref()
                .is_none_or(|one| again.wall_ns < one.wall_ns)
            {
                shortest = Some(again);
            }
            // Two runs show whether another program was in the way of one.
            let is_first = run == 0 && began.elapsed() < LONG;
            if (began.elapsed() > PATIENCE / 2 && !is_first) || !self.may_repeat() {
                break;
            }
        }
        shortest.ok_or_else(|| run::failure(self.host, FailureKind::Interrupted, None))
    }

    /// Runs the statements once. `quiet` says that an earlier run has shown the output. A run of
    /// sampled time without `samples` has probes, but nobody looks at them.
    fn run(
        self,
        quiet: bool,
        mut samples: Option<&mut Samples>,
    ) -> Result<LinesMeasurement, Failure> {
        let Self { host, plan, body } = self;
        let threads = host.threads();
        let system = |error: std::io::Error| run::refused(host, &error);
        let board = Board::new(NUMBERS).map(Arc::new).map_err(system)?;
        settle::trim_heap();
        let memory = if plan.isolated {
            let arena = Arena::shared().map_err(system)?;
            let common = SharedCommon::new().map_err(system)?;
            Memory::Fork(Arc::new((arena, common)))
        } else {
            Memory::InPlace(counting::private_arena().map_err(system)?)
        };
        let began = SyncPoint::now();
        let started = Instant::now();
        let make = || MeasuringLines::new(Arc::clone(&board), &memory, plan);
        let failure = match &memory {
            Memory::Fork(shared) => {
                let (arena, common) = &**shared;
                let limits = Limits {
                    quiet,
                    small_pages: plan.charge == Charge::Memory && plan.backend != Backend::Heap,
                    ..Limits::default()
                };
                let mut over = None;
                let every = watched(plan, samples.as_deref());
                if let Some(samples) = &mut samples {
                    samples.pause();
                }
                let mut look = |pid| match &mut samples {
                    Some(samples) => samples.take(arena, pid),
                    None => look_at_memory(pid, plan, common, &mut over),
                };
                let watcher = every.map(|every| Watcher {
                    every,
                    look: &mut look,
                });
                let ran = run::in_fork(host, body, &board, limits, watcher, make);
                if let Err(failure) = &ran
                    && matches!(failure.cause, FailureKind::CannotFork { .. })
                {
                    return Err(failure.clone());
                }
                let passed = common.counts().passed_limit.load(Relaxed);
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
            }
            Memory::InPlace(arena) => {
                let sampling = plan.charge == Charge::SampledTime;
                let thread = sampling.then(|| sampler::start_thread(arena)).transpose();
                let thread = thread.map_err(system)?;
                let ran = run::in_place(host, body, &board, make);
                // A panic or a `?` skips the callback that stops counting.
                measuring::stop(arena);
                if let (Some(thread), Some(samples)) = (thread, &mut samples) {
                    **samples = thread.stop().map_err(system)?;
                }
                ran.err()
            }
        };
        let wall_ns = match board.get(WALL) {
            0 => u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX),
            wall => wall,
        };
        let outcome = Outcome {
            plan,
            board: &board,
            arena: memory.arena(),
            tick_ns: began.tick_ns(),
            wall_ns,
            threads,
            failure,
        };
        Ok(outcome.measurement(samples.as_deref()))
    }
}

/// Makes a measurement stand for several runs.
fn set_runs(measured: &mut LinesMeasurement, runs: u32) {
    if let Kind::Time {
        clock: Clock::Sampled { runs: of, .. },
        ..
    } = &mut measured.kind
    {
        *of = runs;
    }
}

/// What a run leaves behind.
struct Outcome<'a> {
    plan: LinesPlan,
    board: &'a Board,
    arena: &'a Arena,
    tick_ns: f64,
    wall_ns: u64,
    threads: u32,
    failure: Option<Failure>,
}

impl Outcome<'_> {
    fn measurement(self, samples: Option<&Samples>) -> LinesMeasurement {
        let plan = self.plan;
        let is_memory = plan.charge == Charge::Memory;
        if is_memory && plan.backend == Backend::Heap && plan.isolated {
            // In a run that ended early, lines are still running.
            let tables = self.arena.records().flat_map(Record::tables);
            tables.for_each(account::settle_late);
        }
        let cause = self.failure.as_ref().map(|failure| &failure.cause);
        let panicked = matches!(cause, Some(FailureKind::Panic(_)));
        let mut counted = figures(self.arena, panicked);
        let probe_ns = self.board.get(PROBE_TICKS) as f64 * self.tick_ns;
        let kind = self.kind(samples, probe_ns);
        let timing = matches!(kind, Kind::Time { .. }).then(|| Timing {
            probe_ns,
            probes: self.probes(),
            shared: self.board.get(SHARED) != 0,
            switched: self.is_switched(),
            looks: samples.map_or_else(Vec::new, |samples| samples.looks(&counted)),
        });
        if !is_memory {
            let lines = counted.iter_mut();
            let lines = lines.flat_map(|counted| &mut counted.function.lines);
            for line in lines {
                line.figures.time_ns =
                    memit_lines::units::whole(line.figures.time_ns as f64 * self.tick_ns);
            }
        }
        LinesMeasurement {
            functions: counted
                .into_iter()
                .map(|counted| counted.function)
                .collect(),
            kind,
            wall_ns: self.wall_ns,
            isolated: plan.isolated,
            threads: self.threads,
            threaded: !plan.isolated || self.board.get(THREADED) != 0,
            outlasting: run::outlasting(self.board),
            failure: self.failure,
            timing,
        }
    }

    /// Probes that read the clock.
    fn probes(&self) -> u64 {
        if self.plan.charge != Charge::ExactTime {
            return 0;
        }
        let probes = |record: &Record| record.thread().probes.load(Relaxed);
        self.arena.records().map(probes).sum()
    }

    /// Whether all functions that ran can also run without probes.
    fn is_switched(&self) -> bool {
        let mut tables = self.arena.records().flat_map(Record::tables);
        tables.all(|table| table.head().is_switched)
    }

    fn kind(&self, samples: Option<&Samples>, probe_ns: f64) -> Kind {
        let clock = match self.plan.charge {
            Charge::Memory => {
                return Kind::Memory {
                    backend: self.plan.backend,
                    children: self.plan.children,
                    baseline: self.board.get(BASELINE),
                };
            }
            Charge::SampledTime | Charge::WholeTime => Clock::Sampled {
                interval_ns: samples.map_or(0, Samples::interval_ns),
                samples: samples.map_or(0, Samples::met),
                runs: 1,
                // Two standard deviations of a half.
                points: 100.0 / samples.map_or(0.0, Samples::effective).max(1.0).sqrt(),
            },
            Charge::ExactTime => Clock::Exact {
                probe_ns,
                too_short: false,
            },
        };
        let why = NoTotal::InPlace;
        Kind::Time {
            clock,
            total: Total::Unknown { why },
        }
    }
}

/// The interval at which a run is looked at from outside, if that is needed.
fn watched(plan: LinesPlan, samples: Option<&Samples>) -> Option<Duration> {
    match plan.charge {
        Charge::SampledTime => samples.map(Samples::watching),
        Charge::ExactTime | Charge::WholeTime => None,
        Charge::Memory => {
            let by_heap = plan.backend == Backend::Heap;
            (plan.children || (plan.limit().is_some() && !by_heap)).then_some(WATCHING)
        }
    }
}

/// Reads the memory of a run from outside. Kills the run and sets `over` when its memory passes the
/// limit.
fn look_at_memory(pid: u32, plan: LinesPlan, common: &SharedCommon, over: &mut Option<u64>) {
    let common = common.counts();
    let resident = process::resident(pid).unwrap_or(0);
    let mut all = resident;
    if plan.children {
        all = children::resident_with(pid);
        let theirs = all.saturating_sub(resident);
        common.children.store(theirs, Relaxed);
        common.children_peak.fetch_max(theirs, Relaxed);
    }
    if over.is_none() && plan.limit().is_some_and(|limit| all > limit) {
        *over = Some(all);
        fork::kill_group(pid.cast_signed());
    }
}
