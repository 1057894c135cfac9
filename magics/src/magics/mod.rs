//! The magics, one file each; the code that several of them share; and the registry with its users.

mod cache;
mod costs;
pub mod help;
pub mod line_magic;
mod lprun;
mod lsmagic;
mod memit;
mod mprof;
mod mprun;
mod probe_cost;
pub mod registry;
mod reset;
mod session;
pub(crate) mod statement;
mod time;
mod timeit;
mod undo;
mod who;
mod whos;
mod xdel;

pub use who::has_type;
