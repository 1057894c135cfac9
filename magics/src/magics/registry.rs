//! The list of all magics. Help, `%lsmagic`, completion and the README's table come from this list;
//! a new magic is a new file and one line here.

use super::cache::Cache;
use super::capture::Captured;
use super::cd::Cd;
use super::costs::CostsMagic;
use super::display::{HTML, LATEX, MARKDOWN, SVG};
use super::env::Env;
use super::history::{History, Rerun};
use super::load::{Load, Run};
use super::lprun::Lprun;
use super::lsmagic::Lsmagic;
use super::memit::Memit;
use super::mprof::Mprof;
use super::mprun::Mprun;
use super::pwd::Pwd;
use super::reset::Reset;
use super::script::{BASH, SH};
use super::session::Session;
use super::test::Test;
use super::time::Time;
use super::timeit::Timeit;
use super::undo::Undo;
use super::who::Who;
use super::whos::Whos;
use super::writefile::Writefile;
use super::xdel::Xdel;
use crate::magic::Magic;

/// All magics, in the order of `%lsmagic`.
pub fn all() -> &'static [&'static dyn Magic] {
    ALL
}

/// The magics that neither measure nor describe the session, which the README names in one line.
pub fn everyday() -> &'static [&'static dyn Magic] {
    let first = ALL.iter().position(|magic| magic.name() == FIRST_EVERYDAY);
    &ALL[first.unwrap_or(ALL.len())..]
}

/// The magic called `name`.
pub fn find(name: &str) -> Option<&'static dyn Magic> {
    all().iter().copied().find(|magic| magic.name() == name)
}

const ALL: &[&dyn Magic] = &[
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
    &Cache,
    &Writefile,
    &Pwd,
    &Cd,
    &Env,
    &BASH,
    &SH,
    &HTML,
    &MARKDOWN,
    &LATEX,
    &SVG,
    &Captured,
    &History,
    &Rerun,
    &Load,
    &Run,
    &Test,
    &Xdel,
    &Reset,
    &Lsmagic,
];

/// This magic and those behind it are for every day.
const FIRST_EVERYDAY: &str = "writefile";
