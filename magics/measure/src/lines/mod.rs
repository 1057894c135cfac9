//! The counters of profiled functions, line by line.
//!
//! ```text
//! heap hooks -> counts of the thread <- probe in a cell: counts the hit in the counters of the
//!               (record)              |  thread, compares the epoch
//!                                     |  only if the epoch has changed
//!                                     v
//!               calls -> account: charges the line that ran with what happened since
//!                          |  level: heap of the thread, or the system's figure
//!                          v
//!               counting: known functions, records and counters in the arena, which is
//!                         shared with the process that measures
//! ```
//!
//! `measure` starts runs; `figures` adds up what the threads have counted; `sampler` reads which
//! lines are running.

#[cfg(unix)]
mod account;
#[cfg(unix)]
mod arena;
#[cfg(unix)]
pub(crate) mod calls;
pub mod clock;
#[cfg(unix)]
pub mod counting;
#[cfg(unix)]
mod figures;
#[cfg(unix)]
mod known;
#[cfg(unix)]
mod level;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) mod line_saving;
#[cfg(unix)]
pub(crate) mod measure;
#[cfg(unix)]
mod measuring;
#[cfg(unix)]
pub(crate) mod record;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod registers;
#[cfg(unix)]
mod sampler;
#[cfg(unix)]
mod thread_clock;
