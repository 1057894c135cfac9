//! Forks with all threads, for Linux on x86-64 with glibc.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a register of the system takes and returns numbers of all types"
)]

mod awaited;
mod descriptor;
mod fork;
mod glibc;
mod list;
mod loader;
mod park;
mod parked;
mod proc;
mod revive;
mod robust;
mod rseq;
mod settings;
mod signal;
mod silence;
mod slots;
mod stop;
mod system;
mod trial;
mod turn;

use std::sync::OnceLock;

use crate::Error;

pub use fork::{Alone, Checked, Forked, Stopped};

/// Checks whether this process can be forked with its threads. The first call tries it in a fork of
/// this process, with a thread of its own.
///
/// # Errors
///
/// What the system lacks, or what it has refused to the trial.
pub fn check() -> Result<Checked, Error> {
    static CHECKED: OnceLock<Result<Checked, Error>> = OnceLock::new();
    *CHECKED.get_or_init(|| {
        let checked = Checked::new(glibc::Glibc::get()?);
        trial::run(checked)?;
        Ok(checked)
    })
}
