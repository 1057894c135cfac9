//! Another process's memory, read again and again: what `memit mprof` is made of.
//!
//! Files in `/proc` are opened once, read in place and parsed without allocating; a wait is until
//! the next deadline and not for a time, so that a sampler costs little and does not drift.

mod process_files;
mod program;
mod signals;
mod ticker;
mod tree;

pub use process_files::Backend;
pub use program::{Ended, Program};
pub use signals::{Signal, Signals, end_by};
pub use ticker::Ticker;
pub use tree::{Observed, Tree};
