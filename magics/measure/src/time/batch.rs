//! Executions that have a set-up of their own: the size of their batches, and their time.

use super::measuring::monotonic_ns;
use super::progress::{Number, Progress};
use crate::heap;

/// A batch that takes longer gains nothing: what is subtracted from its time is some nanoseconds.
const LONG_NS: u64 = 50_000;
/// Most executions in a batch.
const MOST: u64 = 1000;
/// Memory of a batch that the caches near a processor hold.
const CACHED: u64 = 256 << 10;
/// Executions that a batch may have even if they take more memory.
const FEW: u64 = 64;
/// In a longer batch, the time of other programs is as usual as in any measurement.
const SHORT_NS: u64 = 1_000_000;
/// Batches whose heap is measured: the executions of a measurement are much alike.
const WEIGHED: u32 = 8;

/// The batches of one process.
pub(super) struct Batches {
    progress: Progress,
    /// Most bytes that a batch may take.
    share: u64,
    is_forked: bool,
    count: u32,
    size: u64,
    /// Bytes of an execution without its heap, and with it.
    bytes: u64,
    bytes_each: u64,
    in_use_before: u64,
    began_ns: u64,
    is_set_up: bool,
    /// Times of batches of nothing.
    idle: [u64; 3],
    /// Executions of the last batch and their time, once there was one.
    last: Option<(u64, u64)>,
    /// How often other programs have taken the processor before the batch.
    interruptions: i64,
    /// Executions, and their time, while nobody took the processor.
    undisturbed: (u64, u64),
}

impl Batches {
    /// `limit` is a size that the session can spare.
    pub(super) fn new(progress: Progress, limit: u64, is_forked: bool) -> Self {
        Self {
            progress,
            share: limit / 4,
            is_forked,
            count: 0,
            size: 1,
            bytes: 0,
            bytes_each: 0,
            in_use_before: 0,
            began_ns: 0,
            is_set_up: true,
            idle: [0; 3],
            last: None,
            interruptions: 0,
            undisturbed: (0, 0),
        }
    }

    /// The size of the next batch.
    pub(super) fn next(&mut self, left: u64, bytes: u64) -> u64 {
        self.bytes = bytes;
        self.size = self.fitting().clamp(1, left.max(1));
        self.progress.set(Number::Batch, self.size);
        self.is_set_up = false;
        if self.count < WEIGHED {
            self.in_use_before = heap::in_use();
        }
        self.began_ns = monotonic_ns();
        if self.size > 1 {
            self.progress.set(Number::Preparing, self.began_ns);
        }
        self.size
    }

    fn fitting(&self) -> u64 {
        let Some((executions, time)) = self.last else {
            return 1;
        };
        if !self.is_forked || self.progress.get(Number::Alone) != 0 {
            return 1;
        }
        let by_time = LONG_NS * executions / time.max(1);
        let bytes = self.bytes_each.max(self.bytes).max(1);
        let by_memory = (CACHED / bytes).max(FEW.min(self.share / bytes));
        by_time.min(by_memory).min(MOST)
    }

    /// The set-ups of the batch are done.
    pub(super) fn are_set_up(&mut self) {
        if self.is_set_up {
            return;
        }
        self.is_set_up = true;
        self.progress.set(Number::Preparing, 0);
        if self.count < WEIGHED {
            let heap = heap::in_use().saturating_sub(self.in_use_before);
            self.bytes_each = self.bytes_each.max(heap / self.size + self.bytes);
        }
        if self.count == 0 && self.progress.get(Number::SetUp) == 0 {
            let time = monotonic_ns() - self.began_ns;
            self.progress.set(Number::SetUp, time.max(1));
        }
        self.count = self.count.saturating_add(1);
        self.interruptions = interruptions();
    }

    /// A batch of nothing took this long.
    pub(super) fn idled(&mut self, elapsed: u64) {
        self.idle.rotate_left(1);
        self.idle[2] = elapsed;
    }

    /// The batch took this long. Returns the time of the executions alone.
    pub(super) fn executed(&mut self, elapsed: u64) -> u64 {
        let mut idle = self.idle;
        idle.sort_unstable();
        let [lowest, median, highest] = idle;
        let own = elapsed.saturating_sub(median);
        self.last = Some((self.size, own));
        // A reading that an interrupt of the system has delayed says nothing about the others.
        let error = (highest.min(2 * median) - lowest).div_ceil(2);
        self.progress.add(Number::Error, error);
        self.without_others(own)
    }

    /// The time of the batch, or the usual time if another program has had the processor meanwhile:
    /// its time slice is a thousand times longer than a short batch.
    fn without_others(&mut self, own: u64) -> u64 {
        let (executions, time) = &mut self.undisturbed;
        if interruptions() == self.interruptions {
            *executions += self.size;
            *time += own;
            return own;
        }
        let usual = u128::from(*time) * u128::from(self.size) / u128::from((*executions).max(1));
        let usual = u64::try_from(usual).unwrap_or(u64::MAX);
        if *executions > 0 && usual < SHORT_NS {
            usual
        } else {
            own
        }
    }
}

/// How often another program has taken the processor from the calling thread.
#[cfg(target_os = "linux")]
fn interruptions() -> i64 {
    // SAFETY: all zeros is a valid `rusage`, a plain C struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a live local.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    usage.ru_nivcsw
}

/// Other systems do not tell of one thread.
#[cfg(not(target_os = "linux"))]
fn interruptions() -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(is_forked: bool) -> Batches {
        Batches::new(Progress::new(1).unwrap(), 64 << 20, is_forked)
    }

    /// Sizes of batches of so many executions, each of which takes `time` and `bytes`.
    fn sizes(batches: &mut Batches, left: u64, time: u64, bytes: u64) -> Vec<u64> {
        (0..4)
            .map(|_| {
                let size = batches.next(left, bytes);
                batches.are_set_up();
                for _ in 0..3 {
                    batches.idled(40);
                }
                batches.executed(40 + time * size);
                size
            })
            .collect()
    }

    #[test]
    fn a_batch_is_as_large_as_its_time_and_its_memory_permit() {
        assert_eq!(sizes(&mut batches(true), 5000, 2, 8), [1, 1000, 1000, 1000]);
        // Long enough alone.
        assert_eq!(sizes(&mut batches(true), 5000, 60_000, 8), [1; 4]);
        assert_eq!(sizes(&mut batches(true), 5000, 5_000, 8), [1, 10, 10, 10]);
        // A few even if the caches do not hold them, but never more than the memory holds.
        assert_eq!(
            sizes(&mut batches(true), 5000, 2, 100 << 10),
            [1, 64, 64, 64]
        );
        assert_eq!(sizes(&mut batches(true), 5000, 2, 4 << 20), [1, 4, 4, 4]);
        assert_eq!(sizes(&mut batches(true), 3, 2, 8), [1, 3, 3, 3]);
    }

    #[test]
    fn executions_that_must_follow_their_set_up_are_alone() {
        assert_eq!(sizes(&mut batches(false), 5000, 2, 8), [1; 4]);
        let mut alone = batches(true);
        alone.progress.set(Number::Alone, 1);
        assert_eq!(sizes(&mut alone, 5000, 2, 8), [1; 4]);
    }

    #[test]
    fn the_median_time_of_nothing_is_subtracted_and_its_spread_is_the_error() {
        let mut batches = batches(true);
        batches.next(1, 8);
        batches.are_set_up();
        for idle in [43, 40, 41] {
            batches.idled(idle);
        }
        assert_eq!(batches.executed(141), 100);
        assert_eq!(batches.progress.get(Number::Error), 2);
        assert_eq!(batches.executed(30), 0);
    }

    #[test]
    fn the_time_of_other_programs_is_that_of_a_usual_batch() {
        let mut batches = batches(true);
        sizes(&mut batches, 1, 100, 8);
        batches.next(1, 8);
        batches.are_set_up();
        batches.interruptions -= 1;
        assert_eq!(batches.executed(4_000_000), 100);
    }
}
