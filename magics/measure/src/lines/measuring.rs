//! Starts and stops the counting of lines around the measured statements.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memit_session::abi::{Backend, Charge, LinesPlan};
use memit_session::lines::counters::{Function, Line};

use super::arena::Arena;
use super::{account, clock, counting, level};
use crate::board::Board;
use crate::measuring::Measuring;
use crate::run::FIGURES;
use crate::shared_common::SharedCommon;
use crate::{heap, threads};

pub(super) const WALL: usize = FIGURES;
pub(super) const BASELINE: usize = FIGURES + 1;
pub(super) const PROBE_TICKS: usize = FIGURES + 2;
pub(super) const THREADED: usize = FIGURES + 3;
pub(super) const SHARED: usize = FIGURES + 4;
pub(super) const NUMBERS: usize = FIGURES + 5;

/// The memory in which a run counts.
#[derive(Clone)]
pub(super) enum Memory {
    /// Memory that a fork shares with the process that started it.
    Fork(Arc<(Arena, SharedCommon)>),
    /// Memory of this process.
    InPlace(&'static Arena),
}

impl Memory {
    pub(super) fn arena(&self) -> &Arena {
        match self {
            Self::Fork(shared) => &shared.0,
            Self::InPlace(arena) => arena,
        }
    }
}

/// Measures one run.
pub(super) struct MeasuringLines {
    board: Arc<Board>,
    arena: &'static Arena,
    /// The counts that a fork shares; `None` for a run in place.
    common: Option<&'static SharedCommon>,
    plan: LinesPlan,
    began: Instant,
    /// Length of the statements, once they are done.
    wall: Duration,
}

impl MeasuringLines {
    /// Call this in the process of the run: in the fork, if the run is a fork.
    pub(super) fn new(board: Arc<Board>, memory: &Memory, plan: LinesPlan) -> Self {
        let (arena, common) = match memory {
            Memory::Fork(shared) => {
                // Threads may count until the fork exits.
                let shared: &'static Arc<_> = Box::leak(Box::new(Arc::clone(shared)));
                (&shared.0, Some(&shared.1))
            }
            Memory::InPlace(arena) => (*arena, None),
        };
        Self {
            board,
            arena,
            common,
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
        self.common.is_some()
    }

    fn counts_lines(&self) -> bool {
        self.plan.charge != Charge::WholeTime
    }

    fn begin(&mut self) {
        let LinesPlan {
            backend, charge, ..
        } = self.plan;
        level::reset();
        level::choose(backend, self.plan.children);
        threads::set_many(threads::at_begin(self.is_forked()));
        if let Some(common) = self.common {
            common.share();
        }
        match charge {
            Charge::WholeTime => {}
            Charge::SampledTime | Charge::ExactTime => {
                account::charge(true, charge == Charge::ExactTime);
                counting::begin(self.arena);
                self.board.set(PROBE_TICKS, probe_ticks());
                counting::begin(self.arena);
            }
            Charge::Memory => {
                heap::start(threads::at_begin(self.is_forked()));
                // The system's figures may change without the heap.
                account::charge(false, backend != Backend::Heap);
                counting::begin(self.arena);
                if backend != Backend::Heap {
                    let baseline = level::of_process(backend).now;
                    self.board
                        .set(BASELINE, u64::try_from(baseline).unwrap_or(0));
                }
            }
        }
        if let Some(limit) = self.plan.limit()
            && backend == Backend::Heap
        {
            heap::set_limit(limit);
        }
        self.arena.set_running(true);
        self.began = Instant::now();
    }

    fn statements_done(&mut self) {
        self.wall = self.began.elapsed();
        self.arena.set_running(false);
    }

    fn value_alive(&mut self) {
        heap::stop();
        let wall = u64::try_from(self.wall.as_nanos()).unwrap_or(u64::MAX);
        self.board.set(WALL, wall);
        // Threads of the session that have nothing to do with the functions do not matter.
        let threaded = if threads::are_copied() {
            counting::is_shared()
        } else {
            threads::are_many()
        };
        self.board.set(THREADED, u64::from(threaded));
        self.board.set(SHARED, u64::from(counting::is_shared()));
        stop(self.arena);
    }
}

/// Stops counting. Probes may still be passed.
pub(super) fn stop(arena: &Arena) {
    heap::stop();
    arena.set_running(false);
    counting::stop();
}

/// Lowest cost in ticks of a probe.
fn probe_ticks() -> u64 {
    const LOOPS: u64 = 1000;
    static LINES: Function<2> = Function::new("", "", 0, 0, [Line::new(1), Line::new(2)]);
    let round = |_| {
        let body = LINES.enter();
        let start = clock::ticks();
        for _ in 0..LOOPS {
            body.line(0);
            body.line(1);
        }
        (clock::ticks() - start).div_ceil(2 * LOOPS)
    };
    (0..10).map(round).min().unwrap_or(0)
}
