//! Memory over time: `%mprof`.
//!
//! While a run runs, the process that started the run samples its memory at an interval (`watch`).
//! At the start, at the end and at both ends of every span, the run itself reads its memory
//! exactly, with the peak since the previous reading (`recorder`), and writes the reading into a
//! shared `log`. `assemble` merges samples and readings.

mod assemble;
mod log;
pub mod measure;
mod measuring;
pub(crate) mod recorder;
mod thinned;
mod watch;
