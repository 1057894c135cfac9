//! `%memit`: how much memory a snippet takes at its peak.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memit_measurement::{Failure, Measured, MemoryMeasurement, MemoryRun, Source};
use memit_process::{children, resident};
use memit_session::abi::{Body, MemoryPlan};

use crate::board::Board;
use crate::fork::{Limits, Silence, Watcher};
use crate::host::Host;
use crate::measuring::Measuring;
use crate::rss::PeakMeter;
use crate::run::{self, FIGURES};
use crate::sampling_thread::{DEFAULT_INTERVAL, SamplingThread};
use crate::{heap, requested, rss, settle, threads};

/// Measures `body`.
pub(crate) fn measure(host: &'static Host, plan: MemoryPlan, body: Body) -> Measured {
    measure_runs(host, plan, body).map_or_else(Measured::Failed, Measured::Memory)
}

fn measure_runs(
    host: &'static Host,
    plan: MemoryPlan,
    body: Body,
) -> Result<MemoryMeasurement, Failure> {
    let threads = host.threads();
    let board = Board::new(NUMBERS).map(Arc::new);
    let board = board.map_err(|error| run::refused(host, &error))?;
    let interval = plan.interval().unwrap_or(DEFAULT_INTERVAL);
    let make = || MeasuringMemory::new(Arc::clone(&board), plan.isolated, plan.children, interval);
    let mut measurement = MemoryMeasurement {
        isolated: plan.isolated,
        threads,
        children: plan.children,
        ..MemoryMeasurement::default()
    };
    settle::trim_heap();
    for repetition in 0..plan.repeat {
        let mut peak_outside = 0;
        if plan.isolated {
            let limits = Limits {
                timeout: plan.timeout(),
                quiet: repetition > 0,
                small_pages: true,
                ..Limits::default()
            };
            let mut look = |pid| peak_outside = peak_outside.max(children::resident_with(pid));
            let watcher = plan.children.then_some(Watcher {
                every: interval,
                look: &mut look,
            });
            let finished = run::in_fork(host, body, &board, limits, watcher, make)?;
            if source(&board) == Source::Maxrss {
                peak_outside = peak_outside.max(finished.max_rss);
            }
        } else {
            let _silence = (repetition > 0).then(Silence::begin);
            run::in_place(host, body, &board, make)?;
            settle::trim_heap();
        }
        measurement.source = source(&board);
        measurement.outlasting = measurement.outlasting.max(run::outlasting(&board));
        measurement.runs.push(figures(&board, peak_outside));
    }
    Ok(measurement)
}

const BASELINE: usize = FIGURES;
const PEAK: usize = FIGURES + 1;
const HEAP_PEAK: usize = FIGURES + 2;
const ALLOCATED: usize = FIGURES + 3;
const ALLOCATIONS: usize = FIGURES + 4;
const RETAINED: usize = FIGURES + 5;
const WALL: usize = FIGURES + 6;
const SOURCE: usize = FIGURES + 7;
const KNOWS_REQUESTS: usize = FIGURES + 8;
const REQUESTED_PEAK: usize = FIGURES + 9;
const REQUESTED: usize = FIGURES + 10;
/// Numbers that a board needs for one run.
pub(crate) const NUMBERS: usize = FIGURES + 11;

/// The figures that a run wrote on its board. `peak_outside` is the peak seen from outside the run.
pub(crate) fn figures(board: &Board, peak_outside: u64) -> MemoryRun {
    let baseline_rss = board.get(BASELINE);
    let peak_rss = board.get(PEAK).max(peak_outside);
    let requested = |number| (board.get(KNOWS_REQUESTS) > 0).then(|| board.get(number));
    MemoryRun {
        baseline_rss,
        peak_rss,
        increment: peak_rss.saturating_sub(baseline_rss),
        heap_peak: board.get(HEAP_PEAK),
        heap_allocated: board.get(ALLOCATED),
        allocations: board.get(ALLOCATIONS),
        heap_peak_requested: requested(REQUESTED_PEAK),
        heap_allocated_requested: requested(REQUESTED),
        heap_retained: board.get(RETAINED).cast_signed(),
        wall_ns: board.get(WALL),
    }
}

/// Where the peak on a board came from.
pub(crate) fn source(board: &Board) -> Source {
    SOURCES[usize::try_from(board.get(SOURCE))
        .unwrap_or(0)
        .min(SOURCES.len() - 1)]
}

const SOURCES: [Source; 3] = [Source::Vmhwm, Source::Maxrss, Source::Sampled];

/// How this process learns its peak.
enum PeakReader {
    Kernel(PeakMeter),
    /// The parent reads `ru_maxrss` afterwards.
    Parent,
    Sampling(Duration, Option<SamplingThread<u64>>),
}

impl PeakReader {
    /// The most exact way that works here.
    fn choose(forked: bool, interval: Duration) -> Self {
        if let Some(meter) = PeakMeter::open_if_wanted() {
            return Self::Kernel(meter);
        }
        let asked = std::env::var(rss::ASKED).unwrap_or_default();
        if forked && asked != "sampled" {
            Self::Parent
        } else {
            Self::Sampling(interval, None)
        }
    }

    fn source(&self) -> Source {
        match self {
            Self::Kernel(_) => Source::Vmhwm,
            Self::Parent => Source::Maxrss,
            Self::Sampling(..) => Source::Sampled,
        }
    }

    /// Starts to watch for a peak; returns the resident set size now.
    fn start(&mut self) -> u64 {
        match self {
            Self::Kernel(meter) => {
                let _ = meter.reset();
                meter.read().map_or(0, |resident| resident.now)
            }
            Self::Parent => resident(),
            Self::Sampling(interval, thread) => {
                let sample = |highest: &mut u64| *highest = resident().max(*highest);
                *thread = SamplingThread::start("memory sampler", *interval, 0, sample).ok();
                resident()
            }
        }
    }

    /// The peak since the start; 0 if only the parent can read the peak.
    fn peak(&mut self) -> u64 {
        match self {
            Self::Kernel(meter) => meter.read().map_or(0, |resident| resident.peak),
            Self::Parent => 0,
            Self::Sampling(_, thread) => {
                let last = resident();
                let sampled = thread.take().and_then(|thread| thread.stop().ok());
                sampled.unwrap_or(0).max(last)
            }
        }
    }
}

/// Measures one execution.
pub(crate) struct MeasuringMemory {
    board: Arc<Board>,
    forked: bool,
    peak_reader: PeakReader,
    /// Whether the requested sizes of blocks are counted too.
    counts_requests: bool,
    began: Instant,
    wall: Duration,
}

impl MeasuringMemory {
    /// Call this in the process of the run: in the fork, if the run is a fork.
    ///
    /// `children` says that readings from outside include child processes. Such readings also include
    /// the table of requested sizes, so there is none then.
    pub(crate) fn new(board: Arc<Board>, forked: bool, children: bool, interval: Duration) -> Self {
        let peak_reader = PeakReader::choose(forked, interval);
        let mut measuring = Self {
            board,
            forked,
            counts_requests: !children && matches!(peak_reader, PeakReader::Kernel(_)),
            peak_reader,
            began: Instant::now(),
            wall: Duration::ZERO,
        };
        // A dry run touches the pages that measuring needs, so that the snippet's figures do not
        // include them.
        if matches!(measuring.peak_reader, PeakReader::Kernel(_)) {
            measuring.begin();
            heap::pass_hooks();
            measuring.statements_done();
            measuring.value_alive();
            measuring.value_dropped();
        }
        measuring
    }
}

impl Drop for MeasuringMemory {
    fn drop(&mut self) {
        heap::stop();
        requested::stop();
    }
}

impl Measuring for MeasuringMemory {
    fn board(&self) -> &Arc<Board> {
        &self.board
    }

    fn is_forked(&self) -> bool {
        self.forked
    }

    fn begin(&mut self) {
        if self.counts_requests {
            requested::start();
        }
        let baseline = self.peak_reader.start();
        self.board.set(BASELINE, baseline);
        heap::start(threads::at_begin(self.forked));
        self.began = Instant::now();
    }

    fn statements_done(&mut self) {
        self.wall = self.began.elapsed();
    }

    fn value_alive(&mut self) {
        let heap = heap::counts();
        let peak = self.peak_reader.peak();
        self.board.set(PEAK, peak);
        self.board.set(HEAP_PEAK, heap.peak);
        self.board.set(ALLOCATED, heap.allocated);
        self.board.set(ALLOCATIONS, heap.allocations);
        let requested = requested::counts();
        self.board
            .set(KNOWS_REQUESTS, u64::from(requested.is_some()));
        let requested = requested.unwrap_or_default();
        self.board.set(REQUESTED_PEAK, requested.peak);
        self.board.set(REQUESTED, requested.allocated);
        let wall = u64::try_from(self.wall.as_nanos());
        self.board.set(WALL, wall.unwrap_or(u64::MAX));
        self.board.set(SOURCE, self.peak_reader.source() as u64);
    }

    fn value_dropped(&mut self) {
        let heap = heap::counts();
        heap::stop();
        self.board.set(RETAINED, heap.live.cast_unsigned());
    }
}
