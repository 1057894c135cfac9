//! What measures while a snippet runs. The snippet's code calls the functions of
//! [`crate::entry`], which end up here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::board::Board;
use crate::lines::probe::LinesProbe;
use crate::memory::MemoryProbe;
use crate::time::{CountProbe, TimeProbe};
use crate::timeline::probe::TimelineProbe;

/// The measurement that is under way in this process.
pub(crate) enum Probe {
    /// `%memit`: one execution.
    Memory(MemoryProbe),
    /// `%timeit`: the timed runs.
    Time(TimeProbe),
    /// `%timeit`: the pass that counts the heap.
    Count(CountProbe),
    /// `%mprun`, `%lprun`.
    Lines(LinesProbe),
    /// `%mprof`.
    Timeline(TimelineProbe),
}

impl Probe {
    /// Where it writes its figures.
    pub(crate) fn board(&self) -> &Arc<Board> {
        match self {
            Self::Memory(memory) => memory.board(),
            Self::Time(time) => time.board(),
            Self::Count(count) => count.memory().board(),
            Self::Lines(lines) => lines.board(),
            Self::Timeline(timeline) => timeline.board(),
        }
    }

    /// Whether it measures in a fork that ends with the snippet.
    pub(crate) fn is_forked(&self) -> bool {
        match self {
            Self::Memory(memory) => memory.is_forked(),
            Self::Time(time) => time.is_forked(),
            Self::Count(count) => count.memory().is_forked(),
            Self::Lines(lines) => lines.is_forked(),
            Self::Timeline(timeline) => timeline.is_forked(),
        }
    }
}

static CURRENT: Mutex<Option<Probe>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Probe>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes `probe` the one that the snippet's calls go to.
pub(crate) fn install(probe: Probe) {
    *lock() = Some(probe);
}

/// Ends the measurement.
pub(crate) fn remove() -> Option<Probe> {
    lock().take()
}

/// Whether a measurement is under way in this process.
pub(crate) fn is_installed() -> bool {
    lock().is_some()
}

/// Gives the current probe to `use_it`; nothing happens outside a measurement.
pub(crate) fn with<T: Default>(use_it: impl FnOnce(&mut Probe) -> T) -> T {
    lock().as_mut().map(use_it).unwrap_or_default()
}
