//! The magics that there are. Help, `%lsmagic`, completion and the README's table are drawn
//! from here; adding a magic adds a file and one line below.

use crate::lprun::Lprun;
use crate::lsmagic::Lsmagic;
use crate::magic::Magic;
use crate::memit::Memit;
use crate::mprof::Mprof;
use crate::mprun::Mprun;
use crate::session::Session;
use crate::timeit::Timeit;
use crate::undo::Undo;

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
