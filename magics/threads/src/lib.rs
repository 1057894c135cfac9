//! Forks of a process with all its threads.

mod error;
mod options;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
mod elsewhere;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod whole;

pub use error::{Error, Peculiarity, Refused, Silence, Step, Thread, Unsupported};
pub use options::StopOptions;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
pub use elsewhere::{Alone, Checked, Forked, Stopped, check};
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
pub use whole::{Alone, Checked, Forked, Stopped, check};
