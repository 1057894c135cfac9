//! The counters of profiled functions, and the probes that count.

#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    clippy::new_without_default,
    reason = "the number of a line fits into 32 bits, and a probe must compile to few instructions"
)]
pub mod counters;
#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "as above"
)]
mod probes;
#[allow(
    clippy::inline_always,
    clippy::return_self_not_must_use,
    clippy::trivially_copy_pass_by_ref,
    clippy::unused_self,
    reason = "these probes have the signatures of those that count"
)]
mod switch;

pub use crate::switched;
pub use probes::*;
pub use switch::*;
