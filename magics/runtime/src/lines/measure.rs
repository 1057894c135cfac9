//! `%mprun` and `%lprun`: a statement runs, and its profiled functions count.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use memit_lines::units::whole;
use memit_lines::{Backend, Clock, Figures, Kind};

use super::arena::Arena;
use super::clock::Moment;
use super::counters::{ENDS, Function, Line, Table};
use super::sampler::Samples;
use super::{COMMON, account, clock, known, level, own_line};
use crate::board::Board;
use crate::fork::{self, Limits, Watcher};
use crate::measurement::{
    Failure, FailureKind, FunctionLines, LineFigures, LinesMeasurement, Measured,
};
use crate::probe::Probe;
use crate::run::{self, Body, FIGURES};
use crate::session::Session;
use crate::{children, heap, process, settle, threads};

/// What is asked of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) charge: Charge,
    pub(crate) backend: Backend,
    /// Child processes are included.
    pub(crate) children: bool,
    /// The run ends when its memory passes this many bytes.
    pub(crate) limit: Option<u64>,
    pub(crate) isolated: bool,
}

/// What lines are charged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charge {
    Memory,
    /// Time, sampled; read at every probe if the run is too short for that.
    Time,
    /// Time, read at every probe.
    ExactTime,
}

impl Charge {
    /// By the number that generated code has: 0, 1, 2.
    pub(crate) fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Time,
            2 => Self::ExactTime,
            _ => Self::Memory,
        }
    }
}

/// Time between two looks at the line that is running.
const SAMPLING: Duration = Duration::from_micros(100);
/// Fewer looks than these tell too little.
const FEW: u64 = 1000;
/// Time between two looks at the memory of a run and of its children.
const WATCHING: Duration = Duration::from_millis(1);

/// Measures `body` and reports to the kernel.
pub(crate) fn measure(session: &'static Session, plan: Plan, body: Body) {
    session.measure(|| {
        let measured = run_once(session, plan, body, false);
        let measured = measured.and_then(|measured| {
            if is_too_short(&measured) && plan.isolated {
                let exact = Plan {
                    charge: Charge::ExactTime,
                    ..plan
                };
                return run_once(session, exact, body, true);
            }
            Ok(measured)
        });
        match measured {
            Ok(measured) => Measured::Lines(measured),
            Err(failure) => Measured::Failed(failure),
        }
    });
}

fn is_too_short(measured: &LinesMeasurement) -> bool {
    let few = matches!(
        measured.kind,
        Kind::Time { clock: Clock::Sampled { samples, .. } } if samples < FEW
    );
    few && measured.failure.is_none()
}

fn run_once(
    session: &'static Session,
    plan: Plan,
    body: Body,
    quiet: bool,
) -> Result<LinesMeasurement, Failure> {
    let threads = session.threads();
    if plan.isolated && threads > 1 {
        return Err(run::failure(session, FailureKind::CannotFork, None));
    }
    let system = |error: std::io::Error| {
        let message = error.to_string();
        run::failure(session, FailureKind::System { message }, None)
    };
    let board = Board::new(NUMBERS).map(Arc::new).map_err(system)?;
    settle::trim_heap();
    let began = Moment::now();
    let started = Instant::now();
    let arena = plan.isolated.then(Arena::new).transpose();
    let arena = arena.map_err(system)?.map(Arc::new);
    let probe = || Probe::Lines(LinesProbe::new(Arc::clone(&board), arena.clone(), plan));
    let mut samples = Samples::new();
    let failure = if let Some(arena) = &arena {
        let limits = Limits {
            quiet,
            small_pages: plan.charge == Charge::Memory && plan.backend != Backend::Heap,
            ..Limits::default()
        };
        let mut over = None;
        let mut look = |pid| look_at_run(pid, plan, arena, &mut samples, &mut over);
        let watcher = plan.watched().map(|every| Watcher {
            every,
            look: &mut look,
        });
        let ran = run::in_fork(session, body, &board, limits, watcher, probe);
        let passed = arena.common().passed_limit.load(Relaxed);
        let passed = over.or((passed > 0).then_some(passed));
        if let (Some(reached), Some(limit)) = (passed, plan.limit) {
            let cause = FailureKind::PassedLimit { limit, reached };
            Some(run::failure(session, cause, None))
        } else {
            ran.err()
        }
    } else {
        let sampling = plan.charge == Charge::Time;
        let thread = sampling.then(SamplingThread::start).transpose();
        let thread = thread.map_err(system)?;
        let ran = run::in_place(session, body, &board, probe);
        if let Some(thread) = thread {
            samples = thread.stop();
        }
        ran.err()
    };
    let tick_ns = began.tick_ns();
    let functions = if let Some(arena) = &arena {
        // Of a run that has not come to its end, lines are still running.
        let settled = arena.tables().inspect(|table| {
            if plan.charge == Charge::Memory && plan.backend == Backend::Heap {
                account::settle_late(*table, arena.common());
            }
        });
        figures(settled, tick_ns, &samples)
    } else {
        figures(known::all(), tick_ns, &samples)
    };
    known::forget();
    let wall_ns = match board.get(WALL) {
        0 => u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX),
        wall => wall,
    };
    Ok(LinesMeasurement {
        functions,
        kind: kind(plan, &board, &samples, tick_ns),
        wall_ns,
        isolated: plan.isolated,
        threads,
        threaded: !plan.isolated || board.get(THREADED) != 0,
        failure,
    })
}

impl Plan {
    /// How often a run is looked at from outside, if that is needed.
    fn watched(self) -> Option<Duration> {
        match self.charge {
            Charge::Time => Some(SAMPLING),
            Charge::ExactTime => None,
            Charge::Memory => {
                let by_heap = self.backend == Backend::Heap;
                (self.children || (self.limit.is_some() && !by_heap)).then_some(WATCHING)
            }
        }
    }
}

/// What is done from outside while a run runs. `over` is set when it is ended for its memory.
fn look_at_run(pid: u32, plan: Plan, arena: &Arena, samples: &mut Samples, over: &mut Option<u64>) {
    if plan.charge == Charge::Time {
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
    if over.is_none() && plan.limit.is_some_and(|limit| all > limit) {
        *over = Some(all);
        fork::kill_group(pid.cast_signed());
    }
}

fn kind(plan: Plan, board: &Board, samples: &Samples, tick_ns: f64) -> Kind {
    match plan.charge {
        Charge::Memory => Kind::Memory {
            backend: plan.backend,
            children: plan.children,
            baseline: board.get(BASELINE),
        },
        Charge::Time => Kind::Time {
            clock: Clock::Sampled {
                interval_ns: u64::try_from(SAMPLING.as_nanos()).unwrap_or(0),
                samples: samples.met(),
            },
        },
        Charge::ExactTime => Kind::Time {
            clock: Clock::Exact {
                probe_ns: board.get(PROBE_TICKS) as f64 * tick_ns,
            },
        },
    }
}

fn figures<'a>(
    functions: impl Iterator<Item = Table<'a>>,
    tick_ns: f64,
    samples: &Samples,
) -> Vec<FunctionLines> {
    let function = |(index, table): (usize, Table<'_>)| {
        let head = table.head();
        let running = head.line.load(Relaxed).checked_sub(1);
        let running = running.and_then(|line| table.lines().get(line as usize));
        let lines = table.lines().iter().enumerate().map(|(at, line)| {
            let exact = line.time.load(Relaxed) as f64 * tick_ns;
            let time_ns = whole(exact) + samples.time_ns(index, at);
            LineFigures {
                line: line.number & !ENDS,
                ends: line.number & ENDS != 0,
                figures: figures_of(line, time_ns),
            }
        });
        FunctionLines {
            name: head.name.to_owned(),
            file: head.file.to_owned(),
            first: head.first,
            backend: level::backend(head),
            calls: head.calls.load(Relaxed),
            depth: head.depth.load(Relaxed),
            running: running.map(|line| line.number & !ENDS),
            lines: lines.collect(),
        }
    };
    functions.enumerate().map(function).collect()
}

fn figures_of(line: &Line, time_ns: u64) -> Figures {
    Figures {
        hits: line.hits.load(Relaxed),
        memory: line.memory.load(Relaxed),
        increment: line.increment.load(Relaxed),
        peak: line.peak.load(Relaxed),
        allocations: line.allocations.load(Relaxed),
        time_ns,
    }
}

const WALL: usize = FIGURES;
const BASELINE: usize = FIGURES + 1;
const PROBE_TICKS: usize = FIGURES + 2;
const THREADED: usize = FIGURES + 3;
const NUMBERS: usize = FIGURES + 4;

/// The arena of the run that this process is, if it is one.
static ARENA: Mutex<Option<Arc<Arena>>> = Mutex::new(None);

/// A function runs for the first time.
pub(super) fn meet(function: Table<'static>) {
    let arena = ARENA.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(arena) = &*arena {
        arena.share(function);
        return;
    }
    if !heap::is_counting() {
        begin_unasked();
    }
    if level::backend(function.head()) != Backend::Heap {
        account::see_every_probe();
    }
}

/// Something is counted that is no measurement.
static COUNTING_UNASKED: AtomicBool = AtomicBool::new(false);

/// A cell that is no measurement, or a program, has called a function with `#[profile]`, the first
/// of its own.
fn begin_unasked() {
    // A thread that was there before would not be noticed.
    let threads = process::threads(std::process::id()).unwrap_or(2);
    level::reset();
    level::choose(Backend::Heap, false);
    heap::start(threads > 1);
    own_line::begin();
    account::begin_epoch();
    COUNTING_UNASKED.store(true, Relaxed);
}

/// What the functions with `#[profile]` have counted in a cell that is no measurement; `None` if
/// none was called.
pub(crate) fn end_cell(session: &Session) -> Option<LinesMeasurement> {
    let counted = end_unasked(session.threads());
    if counted.is_some() {
        known::forget();
    }
    counted
}

/// The same at the end of a program, some of whose functions may still be running.
pub(crate) fn end_program() -> Option<LinesMeasurement> {
    if COUNTING_UNASKED.load(Relaxed) {
        heap::stop();
        let counts_heap = |table: &Table<'_>| level::backend(table.head()) == Backend::Heap;
        known::all()
            .filter(counts_heap)
            .for_each(|table| account::settle_late(table, &COMMON));
    }
    end_unasked(process::threads(std::process::id()).unwrap_or(1))
}

fn end_unasked(threads: u32) -> Option<LinesMeasurement> {
    if !COUNTING_UNASKED.swap(false, Relaxed) {
        return None;
    }
    heap::stop();
    Some(LinesMeasurement {
        functions: figures(known::all(), 1.0, &Samples::new()),
        kind: Kind::Memory {
            backend: Backend::Heap,
            children: false,
            baseline: 0,
        },
        wall_ns: 0,
        // The functions are where they belong.
        isolated: true,
        threads,
        threaded: threads::are_many(),
        failure: None,
    })
}

/// Measures one run: [`Self::begin`], the statement, [`Self::end`].
pub(crate) struct LinesProbe {
    board: Arc<Board>,
    /// In a fork.
    arena: Option<Arc<Arena>>,
    plan: Plan,
    began: Instant,
}

impl LinesProbe {
    /// A probe for the process that calls this, which for a fork is the fork.
    fn new(board: Arc<Board>, arena: Option<Arc<Arena>>, plan: Plan) -> Self {
        Self {
            board,
            arena,
            plan,
            began: Instant::now(),
        }
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.arena.is_some()
    }

    pub(crate) fn begin(&mut self) {
        let Plan { backend, .. } = self.plan;
        known::forget();
        ARENA
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&self.arena);
        level::reset();
        level::choose(backend, self.plan.children);
        threads::set_many(!self.is_forked());
        if self.plan.charge == Charge::Memory {
            heap::start(!self.is_forked());
        }
        own_line::begin();
        if let Some(arena) = &self.arena {
            arena.share_common();
        }
        account::begin_epoch();
        match self.plan.charge {
            Charge::ExactTime => {
                let [line, body] = probe_ticks();
                self.board.set(PROBE_TICKS, line);
                account::charge_time(line, body);
            }
            // What the system says may change without the heap.
            Charge::Memory if backend != Backend::Heap => {
                let baseline = level::read(backend).now;
                self.board
                    .set(BASELINE, u64::try_from(baseline).unwrap_or(0));
                account::see_every_probe();
            }
            Charge::Memory | Charge::Time => {}
        }
        if let Some(limit) = self.plan.limit
            && backend == Backend::Heap
        {
            heap::set_limit(limit);
        }
        self.began = Instant::now();
    }

    pub(crate) fn end(&mut self) {
        let wall = self.began.elapsed();
        heap::stop();
        account::begin_epoch();
        let wall = u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX);
        self.board.set(WALL, wall);
        self.board.set(THREADED, u64::from(threads::are_many()));
        if let Some(arena) = &self.arena {
            arena.refresh();
        }
    }
}

/// What probes cost that read the clock, in ticks, the least of many: that of a line, and each of
/// the two of a body.
fn probe_ticks() -> [u64; 2] {
    const LOOPS: u64 = 1000;
    static LINES: Function<2> = Function::new("", "", 0, 0, 0, [Line::new(1), Line::new(2)]);
    account::charge_time(0, 0);
    let least = |probes: &dyn Fn()| {
        let round = |_| {
            let start = clock::ticks();
            (0..LOOPS).for_each(|_| probes());
            (clock::ticks() - start) / (2 * LOOPS)
        };
        (0..10).map(round).min().unwrap_or(0)
    };
    // Not to be shown.
    LINES.hide();
    let line = least(&|| {
        LINES.line(0);
        LINES.line(1);
    });
    [line, least(&|| drop(LINES.within()))]
}

/// Looks at the lines of this process, for runs in place.
struct SamplingThread {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Samples>,
}

impl SamplingThread {
    fn start() -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("line sampler".to_owned())
            .spawn(move || {
                let mut samples = Samples::new();
                while !stopped.load(Relaxed) {
                    std::thread::sleep(SAMPLING);
                    samples.take(known::all());
                }
                samples
            })?;
        Ok(Self { stop, thread })
    }

    fn stop(self) -> Samples {
        self.stop.store(true, Relaxed);
        self.thread.join().unwrap_or_else(|_| Samples::new())
    }
}
