//! The counters of profiled functions, line by line.
//!
//! ```text
//! heap hooks  -> common (epoch, counts) <- probe in a cell: counts the hit, compares the epoch
//!                                               |  only if the epoch has changed
//!                                               v
//!                calls -> account: charges the line that ran with what happened since
//!                           |  level: live heap, or the system's figure
//!                           v
//!                known (functions that have run) -> arena: shared with the process that measures
//! ```
//!
//! `measure` starts a run and turns the counters into `figures`; `sampler` reads which line is
//! running.

mod account;
#[cfg(unix)]
mod arena;
pub(crate) mod calls;
pub mod clock;
#[cfg(unix)]
pub mod counting;
#[cfg(unix)]
mod figures;
mod known;
#[cfg(unix)]
mod level;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) mod line_saving;
#[cfg(unix)]
pub(crate) mod measure;
#[cfg(unix)]
mod measuring;
mod own_line;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod registers;
mod sampler;
