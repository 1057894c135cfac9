//! The time stamp counter: the cheapest clock, in ticks whose length must be measured.

use std::time::{Duration, Instant};

use memit_lines::units::whole;

/// The current value of the counter.
#[inline]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: every x86-64 has the instruction, which only reads the counter.
        unsafe { core::arch::x86_64::_rdtsc() }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let count: u64;
        // SAFETY: the instruction only reads the virtual counter, which user mode may read.
        unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack)) };
        count
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        use std::sync::OnceLock;
        static START: OnceLock<Instant> = OnceLock::new();
        let elapsed = START.get_or_init(Instant::now).elapsed().as_nanos();
        u64::try_from(elapsed).unwrap_or(u64::MAX)
    }
}

/// The same moment on the counter and on the system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SyncPoint {
    ticks: u64,
    instant: Instant,
}

impl SyncPoint {
    /// The current moment.
    pub fn now() -> Self {
        Self {
            ticks: ticks(),
            instant: Instant::now(),
        }
    }

    /// Number of ticks in a span of time, by [`Self::tick_ns`].
    pub fn ticks_in(&self, time: Duration) -> u64 {
        whole(time.as_nanos() as f64 / self.tick_ns())
    }

    /// Length of a tick in nanoseconds, averaged from this moment to now.
    pub fn tick_ns(&self) -> f64 {
        let now = Self::now();
        let ticks = now.ticks.saturating_sub(self.ticks);
        let elapsed = now.instant.duration_since(self.instant);
        if ticks == 0 {
            return 1.0;
        }
        elapsed.as_nanos() as f64 / ticks as f64
    }
}
