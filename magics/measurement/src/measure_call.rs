//! The measurements that a magic can ask of the session process.

use memit_session::abi::{LinesPlan, MemoryPlan, TimePlan, TimelinePlan};

/// A measurement that the generated code of a cell asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureCall {
    /// `%memit`.
    Memory(MemoryPlan),
    /// `%timeit`.
    Time(TimePlan),
    /// `%mprun` and `%lprun`.
    Lines(LinesPlan),
    /// `%mprof`.
    Timeline(TimelinePlan),
    /// `%mprof --keep`, which measures the cell itself, from the call to the end of the cell.
    TimelineOfCell(TimelinePlan),
}

impl MeasureCall {
    /// The function of `memit_session::harness` that makes the call.
    pub fn function(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Time(_) => "time",
            Self::Lines(_) => "lines",
            Self::Timeline(_) => "timeline",
            Self::TimelineOfCell(_) => "timeline_of_cell",
        }
    }

    /// The plan as Rust, in the scope of `memit_session::abi::plan`.
    pub fn plan(&self) -> String {
        match self {
            Self::Memory(plan) => format!("{plan:?}"),
            Self::Time(plan) => format!("{plan:?}"),
            Self::Lines(plan) => format!("{plan:?}"),
            Self::Timeline(plan) | Self::TimelineOfCell(plan) => format!("{plan:?}"),
        }
    }
}
