//! The magics, one file each; the code that several of them share; and the registry with its users.

mod cache;
mod capture;
mod cd;
mod costs;
mod display;
mod env;
mod file;
pub(crate) mod foreign;
pub mod help;
mod history;
pub mod line_magic;
mod load;
mod lprun;
mod lsmagic;
mod memit;
mod mprof;
mod mprun;
mod probe_cost;
mod pwd;
pub mod registry;
mod reset;
mod script;
mod session;
pub(crate) mod statement;
mod test;
mod time;
mod timeit;
mod undo;
mod who;
mod whos;
mod writefile;
mod xdel;

pub use who::has_type;
