//! The session process of memit, and how it measures.
//!
//! ```text
//! kernel process  <-socket->  supervisor  -fork->  session process  -fork->  measured run
//! compiles cells              no user code         holds the variables       one repetition
//!                                                         |
//!                                                       fork -> checkpoints
//! ```
//!
//! All of these are the same executable. Cells are shared libraries that the session process loads;
//! they call the functions of the module `entry`, which the executable exports by name.
//!
//! An ordinary program that links this, by the crate `memit`, has the heap hooks and the counters of
//! lines, and nothing else: see [`program`].
//!
//! `unsafe` lives in few modules: the heap hooks, forking, shared memory, loading cells.

#[cfg(unix)]
mod board;
#[cfg(unix)]
mod children;
#[cfg(unix)]
mod control;
#[cfg(unix)]
mod entry;
#[cfg(unix)]
mod fork;
mod heap;
pub mod lines;
#[cfg(unix)]
pub mod link;
pub mod measurement;
#[cfg(unix)]
mod memory;
#[cfg(unix)]
mod panic;
#[cfg(unix)]
mod probe;
#[cfg(unix)]
pub mod process;
pub mod profiling;
#[cfg(unix)]
pub mod program;
#[cfg(unix)]
pub mod relay;
#[cfg(unix)]
mod rss;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod sampler;
#[cfg(unix)]
mod session;
#[cfg(unix)]
mod settle;
#[cfg(unix)]
mod shared;
#[cfg(unix)]
pub mod supervisor;
mod threads;
#[cfg(unix)]
mod time;
pub mod timeline;
#[cfg(unix)]
mod unhook;
