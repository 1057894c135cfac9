//! Memory over time: `%mprof`.
//!
//! While a run runs, the process that started it reads its memory at an interval (`watch`). The run
//! itself reads it exactly, with the peak since the reading before, at its start, at its end and at
//! both ends of every span (`recorder`), and writes that into a `log` that both share. `assemble`
//! puts the two together.

mod assemble;
mod log;
pub mod measure;
mod measuring;
pub(crate) mod recorder;
mod thinned;
mod watch;
