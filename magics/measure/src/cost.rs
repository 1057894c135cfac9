//! What running code in the session costs, measured around each cell: a few readings before and after, and
//! nothing while the code runs.
//!
//! The peak is the high-water mark of the system, to within the pages that Linux counts for each processor
//! (128 KiB each).

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use memit_measurement::{ResidentCost, RunCost};

use crate::heap;
use crate::rss::PeakMeter;

/// Readings from the start of the code.
pub struct CostMeter {
    resident: Option<(PeakMeter, u64)>,
    heap: Option<u64>,
    used: Used,
    began: Instant,
}

impl CostMeter {
    /// Starts to measure.
    pub fn start() -> Self {
        let heap = heap_in_use();
        let resident = PeakMeter::open_if_wanted().and_then(|meter| {
            let now = meter.read().ok()?.now;
            Some((meter, now))
        });
        Self {
            resident,
            heap,
            used: Used::now(),
            began: Instant::now(),
        }
    }

    /// What the code has cost so far.
    pub fn cost(&self) -> RunCost {
        let wall = self.began.elapsed();
        let used = Used::now();
        let resident = self.resident.as_ref().and_then(|(meter, baseline)| {
            Some(ResidentCost {
                baseline: *baseline,
                peak: meter.read().ok()?.peak.max(*baseline),
            })
        });
        let change = |after: u64, before: u64| after.wrapping_sub(before).cast_signed();
        RunCost {
            wall_ns: nanoseconds(wall),
            user_ns: nanoseconds(used.user.saturating_sub(self.used.user)),
            system_ns: nanoseconds(used.system.saturating_sub(self.used.system)),
            resident,
            heap_change: self
                .heap
                .and_then(|before| Some(change(heap_in_use()?, before))),
        }
    }
}

/// Processor time of this process.
struct Used {
    user: Duration,
    system: Duration,
}

impl Used {
    fn now() -> Self {
        // SAFETY: all zeros is a valid `rusage`, a plain C struct.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a `rusage`, which the call fills in.
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        Self {
            user: duration(usage.ru_utime),
            system: duration(usage.ru_stime),
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    seconds + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The allocator walks through its free blocks. A heap with very many of them is not asked again.
const PATIENCE: Duration = Duration::from_millis(1);

static IS_SLOW: AtomicBool = AtomicBool::new(false);

/// Bytes that the allocator has handed out; `None` if it does not tell, or takes long.
fn heap_in_use() -> Option<u64> {
    if IS_SLOW.load(Relaxed) {
        return None;
    }
    let began = Instant::now();
    let in_use = heap::in_use();
    IS_SLOW.store(began.elapsed() > PATIENCE, Relaxed);
    (in_use > 0).then_some(in_use)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_has_the_memory_and_the_time_of_the_code() {
        let meter = CostMeter::start();
        let block = std::hint::black_box(vec![1_u8; 64 << 20]);
        let cost = meter.cost();
        let resident = cost.resident.unwrap();
        let increment = resident.peak - resident.baseline;
        assert!((64 << 20..80 << 20).contains(&increment), "{increment}");
        assert!(cost.wall_ns > 0 && cost.user_ns + cost.system_ns > 0);
        #[cfg(heap_hooks)]
        assert!(
            cost.heap_change.is_none_or(|change| change >= 64 << 20),
            "{cost:?}"
        );
        drop(block);
    }
}
