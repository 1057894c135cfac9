//! The plans of measurements, which a cell passes to the session process.
//!
//! A magic fills in a plan, and the source of the cell contains the plan as Rust.

use std::time::Duration;

use super::Backend;

/// What is measured, and how.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Memory at its peak.
    Memory(MemoryPlan) = 1,
    /// Time.
    Time(TimePlan) = 2,
    /// Memory or time, line by line.
    Lines(LinesPlan) = 3,
    /// Memory over time.
    Timeline(TimelinePlan) = 4,
    /// One execution in the session itself.
    Once = 5,
    /// The variables that the body lists.
    Variables = 6,
}

impl Plan {
    /// The plan as a Rust expression in the scope of [`super::plan`].
    pub fn to_rust(&self) -> String {
        // The `Debug` text of a struct is a struct expression; only the enum's name is missing.
        format!("Plan::{self:?}")
    }
}

/// A measurement of memory at its peak (`%memit`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Number of repetitions.
    pub repeat: u32,
    /// Time limit of a repetition in nanoseconds, 0 for none.
    pub timeout_ns: u64,
    /// Time between readings of memory that must be sampled, in nanoseconds; 0 for the default.
    pub interval_ns: u64,
    /// Whether the memory of child processes counts.
    pub children: bool,
    /// Whether each repetition is a fork of the session.
    pub isolated: bool,
}

impl MemoryPlan {
    /// Time limit of a repetition.
    pub fn timeout(&self) -> Option<Duration> {
        duration(self.timeout_ns)
    }

    /// Time between readings of memory that must be sampled.
    pub fn interval(&self) -> Option<Duration> {
        duration(self.interval_ns)
    }
}

/// A measurement of time (`%timeit`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimePlan {
    /// Executions in a run; 0 chooses them as Python's `timeit` does.
    pub loops: u64,
    /// Number of runs.
    pub repeat: u32,
    /// The clock that is read.
    pub clock: Clock,
    /// Whether the clock is started and stopped around every execution, not around the loop.
    pub fresh: bool,
    /// Whether the runs are made in a fork of the session.
    pub isolated: bool,
}

/// The clock that `%timeit` reads.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    #[default]
    Wall = 1,
    /// `CLOCK_PROCESS_CPUTIME_ID`.
    Cpu = 2,
}

/// A measurement line by line (`%mprun`, `%lprun`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinesPlan {
    /// The quantity that lines are charged with.
    pub charge: Charge,
    /// The memory that lines are charged with, if the charge is memory.
    pub backend: Backend,
    /// Whether the memory of child processes counts.
    pub children: bool,
    /// The run ends when its memory passes this size in bytes; 0 for no limit.
    pub limit_bytes: u64,
    /// Whether the run is a fork of the session.
    pub isolated: bool,
}

impl LinesPlan {
    /// The size in bytes that ends the run.
    pub fn limit(&self) -> Option<u64> {
        (self.limit_bytes > 0).then_some(self.limit_bytes)
    }
}

/// The quantity that lines are charged with.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Memory.
    Memory = 1,
    /// Time, sampled. A short run is repeated; a run that is too short to be sampled is repeated with
    /// [`Self::ExactTime`].
    SampledTime = 2,
    /// Time, read from the clock at every probe.
    ExactTime = 3,
    /// Nothing: the run is timed as a whole, for comparison with runs whose lines are charged.
    WholeTime = 4,
}

/// A measurement of memory over time (`%mprof`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelinePlan {
    /// Time between two samples in nanoseconds.
    pub interval_ns: u64,
    /// Whether the memory of child processes counts.
    pub children: bool,
    /// Whether the run is a fork of the session.
    pub isolated: bool,
}

impl TimelinePlan {
    /// Time between two samples.
    pub fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval_ns)
    }
}

fn duration(nanoseconds: u64) -> Option<Duration> {
    (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_plan_as_rust_is_the_plan() {
        macro_rules! check {
            ($($plan:expr)*) => {$(
                let text = stringify!($plan).split_whitespace().collect::<Vec<_>>().join(" ");
                #[allow(unused_imports, reason = "not every plan has every enum")]
                let plan = {
                    use crate::abi::plan::*;
                    $plan
                };
                assert_eq!(plan.to_rust(), text);
            )*};
        }
        check! {
            Plan::Memory(MemoryPlan { repeat: 3, timeout_ns: 0, interval_ns: 1000, children: false, isolated: true })
            Plan::Time(TimePlan { loops: 0, repeat: 7, clock: Cpu, fresh: false, isolated: true })
            Plan::Lines(LinesPlan { charge: SampledTime, backend: Uss, children: true, limit_bytes: 0, isolated: true })
            Plan::Timeline(TimelinePlan { interval_ns: 1000, children: false, isolated: false })
            Plan::Once
            Plan::Variables
        }
    }
}
