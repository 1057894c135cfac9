//! Processes as the system shows them: their memory, their family, their end.

mod ending;
mod family;
mod memory;
pub(crate) mod poll;
mod text;

#[cfg(target_os = "linux")]
pub(crate) use ending::end_by_pidfd;
pub use ending::end_with_descendants;
#[cfg(target_os = "linux")]
pub use ending::pidfd;
pub(crate) use ending::{end, number};
pub(crate) use family::shares_memory;
pub use family::{arguments, children, descendants, name};
pub use memory::{Smaps, SmapsFile, StatmFile, Status, StatusFile, resident, threads};
pub(crate) use memory::{available_memory, peak_resident, proportional};
pub(crate) use text::kibibytes;

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

/// [`poll::readable`] for raw descriptors, each of which must be open.
pub(crate) fn readable<const N: usize>(
    fds: &[RawFd; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    // SAFETY: the caller's descriptors are open during the call.
    let fds = fds.map(|fd| unsafe { BorrowedFd::borrow_raw(fd) });
    poll::readable(fds, timeout)
}
