//! Plain data that the processes of memit exchange: measurements, events that a session reports to
//! the kernel, and requests of the kernel to a session.
//!
//! Sizes are in bytes and times in nanoseconds; nothing is formatted. The session process fills in
//! the data, and the reports of `memit-magics` are views of the data.
#![forbid(unsafe_code)]

mod cost;
mod failure;
mod lines;
mod measured;
mod memory;
pub mod message;
pub mod mprof_format;
mod remark;
mod time;
mod timeline;
mod variables;

pub use cost::{OnceMeasurement, ResidentCost, RunCost};
pub use failure::{Failure, FailureKind, Panic, QuestionMark};
pub use lines::{LinesMeasurement, Look, RunningAt, Timing, probes_of_lines};
pub use measured::{Measured, Placed};
pub use memit_lines::{FunctionLines, LineFigures};
pub use memit_session::abi::{Backend, Clock, Plan};
pub use memory::{MemoryMeasurement, MemoryRun, Source};
pub use message::{Checkpointed, Described, Displayed, Ended, Event, Process, Request};
pub use remark::Remark;
pub use time::TimeMeasurement;
pub use timeline::{Moment, Point, Series, Span, TimelineMeasurement};
pub use variables::{HeapOfVariable, NoHeap, VariableMeasurement, VariablesMeasurement};
