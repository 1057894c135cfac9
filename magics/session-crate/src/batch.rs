//! Timed executions that have a set-up of their own.
//!
//! An execution is a future that pauses twice: behind the set-up and behind the statements. The
//! variables of the set-up live in the future, so that they may borrow from one another and stay
//! where they are. Going on from a pause costs less than a nanosecond, so many executions can be set
//! up first and then be timed as one, which reading a clock around each of them would spoil.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::abi::entry_points::{
    memit_next_batch, memit_start_clock, memit_stop_clock, memit_stop_idling,
};
use crate::harness::{Finished, Returned, end, finished};

/// The place of a pause in an execution.
#[derive(Debug, Default)]
pub struct Pause {
    is_over: bool,
}

impl Future for Pause {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        if self.is_over {
            Poll::Ready(())
        } else {
            self.is_over = true;
            Poll::Pending
        }
    }
}

/// Executions that are set up before the first of them is executed.
#[derive(Debug)]
pub struct Batch<F> {
    /// Has room for all executions from the start, so that none of them moves.
    executions: Vec<F>,
    size: usize,
}

/// How often the time of a batch of nothing is taken before a batch: the median does without the
/// highest and the lowest.
const IDLE_BATCHES: usize = 3;

impl<F: Future<Output = Finished>> Batch<F> {
    /// A batch of some of the executions that are left.
    #[inline]
    pub fn new(left: &mut u64) -> Self {
        let size = memit_next_batch(*left, size_of::<F>() as u64).clamp(1, *left);
        *left -= size;
        let size = usize::try_from(size).unwrap_or(1);
        Self {
            executions: Vec::with_capacity(size),
            size,
        }
    }

    /// Whether another execution belongs to the batch.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.executions.len() < self.size
    }

    /// Adds an execution and runs its set-up.
    ///
    /// # Errors
    ///
    /// If a `?` in the set-up meets an error.
    #[inline]
    pub fn add(&mut self, execution: F) -> Finished {
        assert!(self.has_room());
        let at = self.executions.len();
        self.executions.push(execution);
        end(go_on(&mut self.executions[at..]))
    }

    /// Executes the statements of the batch.
    ///
    /// # Errors
    ///
    /// If a `?` in the statements meets an error.
    #[inline]
    pub fn execute(&mut self) -> Finished {
        end(self.time())
    }

    fn time(&mut self) -> Result<(), Returned> {
        for _ in 0..IDLE_BATCHES {
            let mut idle: Vec<_> = self.executions.iter().map(|_| Self::idle()).collect();
            go_on(&mut idle)?;
            memit_start_clock();
            let ended = go_on(black_box(&mut idle));
            memit_stop_idling();
            ended?;
        }
        memit_start_clock();
        let ended = go_on(black_box(&mut self.executions));
        memit_stop_clock();
        ended
    }

    /// An execution of nothing. Its type depends on `F`, so that the cell compiles it as the cell
    /// compiles `F`.
    async fn idle() -> Finished {
        Pause::default().await;
        black_box(());
        Pause::default().await;
        finished()
    }
}

/// Why an execution has ended before its last pause.
#[cold]
fn left(ended: Finished) -> Returned {
    #[allow(
        clippy::useless_conversion,
        reason = "both types are the same without the feature"
    )]
    let ended = Result::from(ended);
    match ended {
        Err(returned) => returned,
        Ok(()) => Returned::with("`return` left the statements"),
    }
}

/// Takes the time of nothing, which is what the two readings of the clock cost.
#[inline]
pub fn idle() {
    for _ in 0..IDLE_BATCHES {
        memit_start_clock();
        memit_stop_idling();
    }
}

/// Runs each execution to its next pause. The executions must not move from then on.
#[inline(never)]
fn go_on<F: Future<Output = Finished>>(executions: &mut [F]) -> Result<(), Returned> {
    let context = &mut Context::from_waker(Waker::noop());
    for execution in executions {
        // SAFETY: all callers pass executions in a vector that has room for them from the start and
        // that nothing leaves before it drops its elements in place.
        let execution = unsafe { Pin::new_unchecked(execution) };
        if let Poll::Ready(ended) = execution.poll(context) {
            return Err(left(ended));
        }
    }
    Ok(())
}
