//! The magics, one file each; the code that several of them share; and the registry with its users.

pub mod help;
pub mod line_magic;
mod lprun;
mod lsmagic;
mod memit;
mod mprof;
mod mprun;
pub mod registry;
pub mod request;
mod reset;
mod session;
mod statement;
mod timeit;
mod undo;
mod xdel;
