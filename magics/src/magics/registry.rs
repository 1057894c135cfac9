//! The magics that there are. Help, `%lsmagic`, completion and the README's table are drawn
//! from here; adding a magic adds a file and one line below.

use super::lprun::Lprun;
use super::lsmagic::Lsmagic;
use super::memit::Memit;
use super::mprof::Mprof;
use super::mprun::Mprun;
use super::session::Session;
use super::timeit::Timeit;
use super::undo::Undo;
use crate::magic::Magic;

/// All magics, in the order in which they are listed.
pub fn all() -> &'static [&'static dyn Magic] {
    &[
        &Memit, &Timeit, &Mprun, &Lprun, &Mprof, &Session, &Undo, &Lsmagic,
    ]
}

/// The magic of this name.
pub fn find(name: &str) -> Option<&'static dyn Magic> {
    all().iter().copied().find(|magic| magic.name() == name)
}
