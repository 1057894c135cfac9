//! Forks with all threads, for Linux on x86-64 with glibc.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a register of the system takes and returns numbers of all types"
)]

mod awaited;
mod deaf;
mod descriptor;
mod fork;
mod glibc;
mod list;
mod loader;
mod owners;
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

use crate::{Error, Unsupported};

pub use fork::{Alone, Checked, Forked, Stopped};
pub use owners::{take_over_mutex, take_over_rwlock};

/// Checks whether this process can be forked with its threads. The first call tries it in a fork of
/// this process, with a thread of its own. This costs two forks, so it is best done while the
/// process is small.
///
/// # Errors
///
/// What the system lacks, or what it has refused to the trial.
pub fn check() -> Result<Checked, Error> {
    static KNOWN: OnceLock<Result<Checked, Unsupported>> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return known.map_err(Error::Unsupported);
    }
    let checked = glibc::Glibc::get().map(Checked::new);
    let checked = checked.and_then(|checked| trial::run(checked).map(|()| checked));
    // What the system has refused now, it may grant later.
    match checked {
        Ok(checked) => *KNOWN.get_or_init(|| Ok(checked)),
        Err(Error::Unsupported(what)) => *KNOWN.get_or_init(|| Err(what)),
        Err(error) => return Err(error),
    }
    .map_err(Error::Unsupported)
}
