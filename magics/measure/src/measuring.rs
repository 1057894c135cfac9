//! The measurement that is under way in this process.
//!
//! The code of a snippet calls the functions of [`crate::entry`], which call the measurement.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::board::Board;

/// A measurement while its snippet runs. Each kind of measurement implements the callbacks that its
/// generated code calls.
pub(crate) trait Measuring: Send {
    /// Where the measurement writes its figures.
    fn board(&self) -> &Arc<Board>;

    /// Whether the run is a fork that ends with the snippet.
    fn is_forked(&self) -> bool;

    /// Whether profiled functions run with their probes.
    fn counts_lines(&self) -> bool {
        false
    }

    /// The statements start.
    fn begin(&mut self) {}

    /// The statements are done. Threads that they have started may still run.
    fn statements_done(&mut self) {}

    /// The statements and their threads are done, and the value of the statements is still alive.
    fn value_alive(&mut self) {}

    /// The value of the statements has been dropped.
    fn value_dropped(&mut self) {}

    /// Loops of the next timed run; 0 when no further run is needed.
    fn next_run(&mut self) -> u64 {
        0
    }

    /// A timed loop starts.
    fn start_clock(&mut self) {}

    /// A timed loop has ended.
    fn stop_clock(&mut self) {}

    /// Number of executions in the next batch, of at most `left`, each of which takes `bytes`
    /// without its heap.
    fn next_batch(&mut self, _left: u64, _bytes: u64) -> u64 {
        1
    }

    /// A timed batch of nothing has ended.
    fn stop_idling(&mut self) {}

    /// The snippet ends in any way: a panic or a `?` may come before the value is dropped.
    fn leave(&mut self) {}
}

static CURRENT: Mutex<Option<Box<dyn Measuring>>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Box<dyn Measuring>>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes `measuring` the measurement that the snippet calls. The allocation of the box comes before
/// the first reading, which [`Measuring::begin`] takes.
pub(crate) fn install(measuring: impl Measuring + 'static) {
    *lock() = Some(Box::new(measuring));
}

/// Ends the measurement, after its last reading.
pub(crate) fn remove() {
    lock().take();
}

/// Whether a measurement is under way in this process.
pub(crate) fn is_under_way() -> bool {
    lock().is_some()
}

/// Gives the current measurement to `use_it`; does nothing if none is under way.
pub(crate) fn with<T: Default>(use_it: impl FnOnce(&mut dyn Measuring) -> T) -> T {
    let mut current = lock();
    current
        .as_mut()
        .map(|measuring| use_it(&mut **measuring))
        .unwrap_or_default()
}
