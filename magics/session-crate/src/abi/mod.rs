//! The border between a cell and the session process.
//!
//! A cell finds the functions of the session process by name: the executable exports the names,
//! and the dynamic linker binds them. No compiler sees both sides at once, so everything that
//! crosses the border is declared here, once:
//!
//! - [`crate::entry_points!`] lists the functions. [`entry_points`] declares them for cells, the
//!   crate `memit-measure` checks its definitions against the list at compile time, and its build
//!   script reads the [`NAMES`] that the linker must export.
//! - The types of their arguments are the types of this module. Both sides may be compiled by
//!   different versions of `rustc`, so each type has a defined layout.

mod backend;
mod body;
pub mod entry_points;
mod listed;
mod phase;
mod plans;
mod test;
mod text;

pub use backend::{Backend, UnknownBackend};
pub use body::{Body, Ending, Lazy};
pub use entry_points::{NAMES, declaration};
pub use listed::{List, Listed};
pub use phase::PhaseNumber;
pub use plans::{Charge, Clock, LinesPlan, MemoryPlan, Plan, TimePlan, TimelinePlan};
pub use test::TestCase;
pub use text::Text;

/// The names that a cell uses to write down a [`Plan`]: the types of plans, and the variants of the enums
/// in their fields.
pub mod plan {
    pub use super::Backend::*;
    pub use super::Charge::*;
    pub use super::Clock::*;
    pub use super::{LinesPlan, MemoryPlan, Plan, TimePlan, TimelinePlan};
}
