//! Processes as the system shows them: their memory, their family, their end.

mod ending;
mod family;
mod memory;
pub mod poll;
mod text;

#[cfg(target_os = "linux")]
pub use ending::end_by_pidfd;
#[cfg(target_os = "linux")]
pub use ending::pidfd;
pub use ending::{Waited, end, end_with_descendants, number, wait};
pub use family::{
    arguments, children, descendants, has_waited, name, shares_memory, working_directory,
};
pub use memory::{
    Smaps, SmapsFile, StatmFile, Status, StatusFile, are_pages_huge, available_memory, faults,
    mapped, peak_resident, proportional, resident, threads,
};
