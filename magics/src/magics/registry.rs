//! The list of all magics. Help, `%lsmagic`, completion and the README's table come from this list;
//! a new magic is a new file and one line here.

use super::cache::Cache;
use super::costs::CostsMagic;
use super::lprun::Lprun;
use super::lsmagic::Lsmagic;
use super::memit::Memit;
use super::mprof::Mprof;
use super::mprun::Mprun;
use super::reset::Reset;
use super::session::Session;
use super::time::Time;
use super::timeit::Timeit;
use super::undo::Undo;
use super::who::Who;
use super::whos::Whos;
use super::xdel::Xdel;
use crate::magic::Magic;

/// All magics, in the order of `%lsmagic`.
pub fn all() -> &'static [&'static dyn Magic] {
    &[
        &Memit,
        &Timeit,
        &Time,
        &Mprun,
        &Lprun,
        &Mprof,
        &CostsMagic,
        &Who,
        &Whos,
        &Session,
        &Undo,
        &Xdel,
        &Reset,
        &Cache,
        &Lsmagic,
    ]
}

/// The magic called `name`.
pub fn find(name: &str) -> Option<&'static dyn Magic> {
    all().iter().copied().find(|magic| magic.name() == name)
}
