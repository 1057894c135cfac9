//! Line by line: the counters of a profiled function, and its probes.

#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    clippy::new_without_default,
    reason = "functions have fewer lines than 32 bits count, and a probe must come down to a few \
              instructions"
)]
pub mod counters;
#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "as above"
)]
mod probes;

pub use probes::*;
