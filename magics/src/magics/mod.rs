//! The magics: each in a file of its own, what they share, and what draws on all of them.

pub mod help;
pub mod line_magic;
mod lprun;
mod lsmagic;
mod memit;
mod mprof;
mod mprun;
pub mod registry;
pub mod request;
mod session;
mod statement;
mod timeit;
mod undo;
