//! Memory over time: `%mprof`.
//!
//! While a run runs, the process that started it reads its memory at an interval (`watch`). The run
//! itself reads it exactly, with the peak since the reading before, at its start, at its end and at
//! both ends of every span (`recorder`), and writes that into a `log` that both share. `assemble`
//! puts the two together.

#[cfg(unix)]
mod assemble;
mod data;
#[cfg(unix)]
mod log;
#[cfg(unix)]
pub(crate) mod measure;
#[cfg(unix)]
pub(crate) mod probe;
#[cfg(unix)]
pub(crate) mod recorder;
#[cfg(unix)]
mod thinned;
#[cfg(unix)]
mod watch;

pub use data::{Moment, Point, Series, Span, TimelineMeasurement};
