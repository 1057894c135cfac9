//! The pass of `%timeit` that counts the heap.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::board::Board;
use crate::measuring::Measuring;
use crate::memory::MeasuringMemory;
use crate::sampling_thread::DEFAULT_INTERVAL;
use crate::{heap, host, outlasting};

/// Counts the heap over some loops.
pub(super) struct CountingHeap {
    memory: MeasuringMemory,
    loops: u64,
    asked: bool,
    started: bool,
    /// How long a loop waits for threads that it has started.
    patience: Duration,
}

impl CountingHeap {
    pub(super) fn new(board: Arc<Board>, forked: bool, loops: u64) -> Self {
        let memory = MeasuringMemory::new(board, forked, false, DEFAULT_INTERVAL);
        Self {
            memory,
            loops,
            asked: false,
            started: false,
            patience: outlasting::PATIENCE,
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

    fn stop_idling(&mut self) {
        heap::stop();
        self.started = false;
    }

    fn stop_clock(&mut self) {
        if outlasting::wait(Instant::now() + self.patience, host::is_interrupted) > 0 {
            self.patience = Duration::ZERO;
        }
        self.memory.value_alive();
        self.memory.value_dropped();
    }
}
