//! Starts and stops the counting of lines around the measured statements.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memit_session::abi::{Backend, Charge, LinesPlan};
use memit_session::lines::counters::{Function, Line};

use super::arena::Arena;
use super::counting::{self, Counting};
use super::{account, clock, known, level, own_line};
use crate::board::Board;
use crate::common::see_every_probe;
use crate::measuring::Measuring;
use crate::run::FIGURES;
use crate::{heap, threads};

pub(super) const WALL: usize = FIGURES;
pub(super) const BASELINE: usize = FIGURES + 1;
pub(super) const PROBE_TICKS: usize = FIGURES + 2;
pub(super) const THREADED: usize = FIGURES + 3;
pub(super) const PROBES: usize = FIGURES + 4;
pub(super) const NUMBERS: usize = FIGURES + 5;

/// Measures one run.
pub(super) struct MeasuringLines {
    board: Arc<Board>,
    /// `None` for a run in place.
    arena: Option<Arc<Arena>>,
    plan: LinesPlan,
    began: Instant,
    /// Length of the statements, once they are done.
    wall: Duration,
}

impl MeasuringLines {
    /// Call this in the process of the run: in the fork, if the run is a fork.
    pub(super) fn new(board: Arc<Board>, arena: Option<Arc<Arena>>, plan: LinesPlan) -> Self {
        Self {
            board,
            arena,
            plan,
            began: Instant::now(),
            wall: Duration::ZERO,
        }
    }
}

impl Measuring for MeasuringLines {
    fn board(&self) -> &Arc<Board> {
        &self.board
    }

    fn is_forked(&self) -> bool {
        self.arena.is_some()
    }

    fn begin(&mut self) {
        let LinesPlan { backend, .. } = self.plan;
        known::forget();
        counting::set(Counting::Measurement(self.arena.clone()));
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
                self.board.set(PROBE_TICKS, probe_ticks());
                account::charge_time();
            }
            // The system's figures may change without the heap.
            Charge::Memory if backend != Backend::Heap => {
                let baseline = level::read(backend).now;
                self.board
                    .set(BASELINE, u64::try_from(baseline).unwrap_or(0));
                see_every_probe();
            }
            Charge::Memory | Charge::SampledTime => {}
        }
        if let Some(limit) = self.plan.limit()
            && backend == Backend::Heap
        {
            heap::set_limit(limit);
        }
        self.began = Instant::now();
    }

    fn statements_done(&mut self) {
        self.wall = self.began.elapsed();
    }

    fn value_alive(&mut self) {
        stop();
        let wall = u64::try_from(self.wall.as_nanos()).unwrap_or(u64::MAX);
        self.board.set(WALL, wall);
        self.board.set(PROBES, account::probes());
        self.board.set(THREADED, u64::from(threads::are_many()));
        if let Some(arena) = &self.arena {
            arena.refresh();
        }
    }
}

/// Stops counting. Probes may still be passed.
pub(super) fn stop() {
    heap::stop();
    counting::set(Counting::Off);
    account::begin_epoch();
}

/// Lowest cost in ticks of a probe that reads the clock.
fn probe_ticks() -> u64 {
    const LOOPS: u64 = 1000;
    static LINES: Function<2> = Function::new("", "", 0, 0, [Line::new(1), Line::new(2)]);
    account::charge_time();
    let round = |_| {
        let start = clock::ticks();
        for _ in 0..LOOPS {
            LINES.line(0);
            LINES.line(1);
        }
        (clock::ticks() - start) / (2 * LOOPS)
    };
    (0..10).map(round).min().unwrap_or(0)
}
