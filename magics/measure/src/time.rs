//! `%timeit`: how long a snippet takes.
//!
//! The generated code asks for runs until none is left. The code itself starts and stops the clock,
//! so that nothing but the loop lies between the two readings.

use std::sync::Arc;
use std::time::Duration;

use memit_measurement::{Failure, FailureKind, Measured, TimeMeasurement};
use memit_session::abi::{Body, Clock, TimePlan};

use crate::board::Board;
use crate::fork::{self, Limits};
use crate::heap;
use crate::host::{self, Host};
use crate::measuring::Measuring;
use crate::memory::{self, MeasuringMemory};
use crate::run::{self, FIGURES};
use crate::sampling_thread::DEFAULT_INTERVAL;
use crate::unhook::unhook;

/// A run must take this long for its number of loops to be enough, as in Python's `timeit`.
const LONG_ENOUGH_NS: u64 = 200_000_000;
/// Powers of ten that are tried for the number of loops, as in Python's `timeit`.
const MAX_LOOPS: u64 = 1_000_000_000;
/// Target for the time of the pass that counts the heap, and limit of its executions.
const COUNT_NS: u64 = 20_000_000;
const COUNT_LOOPS: u64 = 1000;

/// Measures `body`.
pub(crate) fn measure(host: &'static Host, plan: TimePlan, body: Body) -> Measured {
    measure_runs(host, plan, body).map_or_else(Measured::Failed, Measured::Time)
}

const LOOPS: usize = FIGURES;
const CYCLE: usize = FIGURES + 1;
const TIMES: usize = FIGURES + 2;

fn measure_runs(
    host: &'static Host,
    plan: TimePlan,
    body: Body,
) -> Result<TimeMeasurement, Failure> {
    let threads = host.threads();
    if plan.isolated && threads > 1 {
        return Err(run::failure(host, FailureKind::CannotFork, None));
    }
    let new_board = |numbers| {
        let board = Board::new(numbers).map(Arc::new);
        board.map_err(|error| run::refused(host, &error))
    };
    let board = new_board(TIMES + plan.repeat as usize)?;
    let make = || MeasuringTime::new(Arc::clone(&board), plan);
    if plan.isolated {
        run::in_fork(host, body, &board, Limits::default(), None, make)?;
    } else {
        run::in_place(host, body, &board, make)?;
    }
    let loops = board.get(LOOPS);
    let all_runs: Vec<u64> = (0..plan.repeat as usize)
        .map(|run| board.get(TIMES + run))
        .collect();
    let mut measurement = TimeMeasurement {
        loops,
        all_runs,
        clock: plan.clock,
        cycle_ns: f64::from_bits(board.get(CYCLE)),
        isolated: plan.isolated,
        threads,
        ..TimeMeasurement::default()
    };

    let loops = if plan.fresh {
        1
    } else {
        count_loops(&measurement)
    };
    let board = new_board(memory::NUMBERS)?;
    let make = || CountingHeap::new(Arc::clone(&board), plan.isolated, loops);
    if plan.isolated {
        let limits = Limits {
            quiet: true,
            small_pages: true,
            ..Limits::default()
        };
        run::in_fork(host, body, &board, limits, None, make)?;
    } else {
        run::in_place(host, body, &board, make)?;
    }
    measurement.memory = Some(memory::figures(&board, 0));
    measurement.memory_loops = loops;
    measurement.source = memory::source(&board);
    Ok(measurement)
}

/// Executions of the counting pass: enough for an average, too few to be noticed.
fn count_loops(measurement: &TimeMeasurement) -> u64 {
    let fastest = measurement.all_runs.iter().min().copied().unwrap_or(0);
    let per_loop = (fastest / measurement.loops.max(1)).max(1);
    (COUNT_NS / per_loop).clamp(1, COUNT_LOOPS.min(measurement.loops.max(1)))
}

/// The purpose of the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    /// Looking for the number of loops.
    Ranging,
    /// This many runs are done.
    Running(u32),
}

/// Times the runs.
struct MeasuringTime {
    board: Arc<Board>,
    plan: TimePlan,
    stage: Stage,
    /// The output of the first run has been shown.
    shown: bool,
    loops: u64,
    /// Time of the current run, and the reading of the clock when it was last started.
    elapsed_ns: u64,
    started_ns: u64,
    /// Cost of starting and stopping the clock, if that happens in every loop.
    overhead_ns: u64,
}

impl MeasuringTime {
    fn new(board: Arc<Board>, plan: TimePlan) -> Self {
        board.set(CYCLE, cycle_ns().to_bits());
        let mut measuring = Self {
            board,
            plan,
            stage: Stage::First,
            shown: false,
            loops: plan.loops.max(1),
            elapsed_ns: 0,
            started_ns: 0,
            overhead_ns: 0,
        };
        if plan.isolated {
            unhook();
        }
        if plan.fresh {
            measuring.overhead_ns = measuring.measure_overhead();
        }
        measuring
    }

    /// Whether an interrupt ends the runs. In place, nobody else could end them.
    fn interrupted(&self) -> bool {
        !self.plan.isolated && host::current().is_some_and(|host| host.control().interrupted())
    }

    fn measure_overhead(&mut self) -> u64 {
        let mut least = u64::MAX;
        for _ in 0..1000 {
            self.elapsed_ns = 0;
            self.start_clock();
            self.stop_clock();
            least = least.min(self.elapsed_ns);
        }
        self.elapsed_ns = 0;
        least
    }

    fn now_ns(&self) -> u64 {
        let clock = match self.plan.clock {
            Clock::Wall => libc::CLOCK_MONOTONIC,
            Clock::Cpu => libc::CLOCK_PROCESS_CPUTIME_ID,
        };
        let mut now = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `now` is a live local. Both clocks exist wherever this compiles.
        unsafe { libc::clock_gettime(clock, &raw mut now) };
        now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
    }
}

impl Measuring for MeasuringTime {
    fn board(&self) -> &Arc<Board> {
        &self.board
    }

    fn is_forked(&self) -> bool {
        self.plan.isolated
    }

    fn next_run(&mut self) -> u64 {
        let elapsed = std::mem::take(&mut self.elapsed_ns);
        if self.stage != Stage::First && !self.shown {
            // The first run has shown the snippet's output; nobody wants it a million times.
            self.shown = true;
            if self.plan.isolated {
                fork::silence();
            }
        }
        self.stage = match self.stage {
            Stage::First if self.plan.loops > 0 => Stage::Running(0),
            Stage::First => Stage::Ranging,
            Stage::Ranging if elapsed >= LONG_ENOUGH_NS || self.loops >= MAX_LOOPS => {
                Stage::Running(0)
            }
            Stage::Ranging => {
                self.loops *= 10;
                Stage::Ranging
            }
            Stage::Running(done) => {
                self.board.set(TIMES + done as usize, elapsed);
                Stage::Running(done + 1)
            }
        };
        self.board.set(LOOPS, self.loops);
        if self.stage == Stage::Running(self.plan.repeat) || self.interrupted() {
            return 0;
        }
        self.loops
    }

    fn start_clock(&mut self) {
        self.started_ns = self.now_ns();
    }

    fn stop_clock(&mut self) {
        let elapsed = self.now_ns() - self.started_ns;
        self.elapsed_ns += elapsed.saturating_sub(self.overhead_ns);
    }
}

/// Counts the heap over some loops.
struct CountingHeap {
    memory: MeasuringMemory,
    loops: u64,
    asked: bool,
    started: bool,
}

impl CountingHeap {
    fn new(board: Arc<Board>, forked: bool, loops: u64) -> Self {
        let memory = MeasuringMemory::new(board, forked, DEFAULT_INTERVAL);
        Self {
            memory,
            loops,
            asked: false,
            started: false,
        }
    }
}

impl Measuring for CountingHeap {
    fn board(&self) -> &Arc<Board> {
        self.memory.board()
    }

    fn is_forked(&self) -> bool {
        self.memory.is_forked()
    }

    /// Loops of the only run, then 0.
    fn next_run(&mut self) -> u64 {
        if std::mem::replace(&mut self.asked, true) {
            0
        } else {
            self.loops
        }
    }

    fn start_clock(&mut self) {
        if std::mem::replace(&mut self.started, true) {
            heap::resume();
        } else {
            self.memory.begin();
        }
    }

    fn stop_clock(&mut self) {
        self.memory.value_alive();
        self.memory.value_dropped();
    }
}

/// Length of a processor cycle in nanoseconds, from a chain of multiplications that each wait
/// for the one before: 3 cycles each on the x86-64 and aarch64 cores of the last decade (Fog,
/// "Instruction tables"; Arm's optimisation guides). 0 elsewhere.
fn cycle_ns() -> f64 {
    const ROUNDS: u32 = 20_000;
    const CHAIN: u32 = 10;
    const LATENCY: u32 = 3;
    if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        return 0.0;
    }
    let fastest = (0..5)
        .map(|_| {
            let start = std::time::Instant::now();
            let mut product = 3;
            for _ in 0..ROUNDS {
                product = multiply_chain(product);
            }
            std::hint::black_box(product);
            start.elapsed()
        })
        .min()
        .unwrap_or(Duration::ZERO);
    fastest.as_secs_f64() * 1e9 / f64::from(ROUNDS * CHAIN * LATENCY)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn multiply_chain(mut product: u64) -> u64 {
    // SAFETY: the instructions change only the declared register and the flags.
    unsafe {
        std::arch::asm!(
            "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}",
            "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}", "imul {x}, {x}",
            x = inout(reg) product,
            options(pure, nomem, nostack),
        );
    }
    product
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn multiply_chain(mut product: u64) -> u64 {
    // SAFETY: the instructions change only the declared register and the flags.
    unsafe {
        std::arch::asm!(
            "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}",
            "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}", "mul {x}, {x}, {x}",
            "mul {x}, {x}, {x}", "mul {x}, {x}, {x}",
            x = inout(reg) product,
            options(pure, nomem, nostack),
        );
    }
    product
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn multiply_chain(product: u64) -> u64 {
    product
}
