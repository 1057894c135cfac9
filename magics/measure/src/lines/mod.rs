//! Line by line: the counters of profiled functions, and what is done with them.
//!
//! [`counters`] is what functions count in, [`probes`] what their probes call. What these leave to the
//! runtime is in `account`: it charges
//! what the heap, the resident memory or the clock has done since the last settlement to the line
//! that ran. `known` has the functions that have run, `arena` shares their counters with the
//! process that started the run, `measure` starts one.

mod account;
#[cfg(unix)]
pub(crate) mod arena;
pub mod clock;
#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    clippy::new_without_default,
    reason = "functions have fewer lines than 32 bits count, and of a probe nothing else is to be left \
              than a few instructions"
)]
pub mod counters;
#[cfg(unix)]
pub(crate) mod counting;
#[cfg(unix)]
mod figures;
mod known;
#[cfg(unix)]
pub(crate) mod level;
#[cfg(unix)]
pub(crate) mod measure;
mod own_line;
#[cfg(unix)]
pub(crate) mod probe;
#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "as above"
)]
pub mod probes;
mod sampler;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod saving;

use std::sync::atomic::Ordering::Relaxed;

use counters::Common;

#[cfg(heap_hooks)]
pub(crate) use account::threads_are_many;

/// The sources of [`counters`] and of [`probes`], by their names, for crates that cells are compiled
/// against.
pub const SOURCES: [(&str, &str); 2] = [
    ("counters.rs", include_str!("counters.rs")),
    ("probes.rs", include_str!("probes.rs")),
];

/// What the profiled functions of this process have in common.
#[unsafe(export_name = "memit_common")]
pub static COMMON: Common = Common::new();

/// Ends the process: its next block would take the live heap to `live` bytes, beyond the limit.
#[cfg(heap_hooks)]
pub(crate) fn pass_limit(live: i64) -> ! {
    COMMON.passed_limit.store(live.unsigned_abs(), Relaxed);
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) }
}
