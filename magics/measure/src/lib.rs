//! Measures code in this process, exactly: the heap by hooks in front of `malloc`, the resident
//! memory by the system's high-water mark, lines by probes, and each run in a fork.
//!
//! A cell's code calls the functions of the module `entry`, which the executable exports by name. A
//! measurement reaches the session process that it runs in through a [`host::Host`].
//!
//! An ordinary program links this crate through the crate `memit`, and uses the heap hooks and the
//! line counters: see [`program`].
//!
//! `unsafe` is confined to calls of the C library, the heap hooks, shared memory, line counters and
//! a few instructions.

#[cfg(unix)]
mod board;
mod common;
#[cfg(unix)]
pub mod control;
#[cfg(unix)]
pub mod copies;
#[cfg(unix)]
pub mod cost;
#[cfg(unix)]
mod entry;
#[cfg(unix)]
pub mod fork;
mod heap;
#[cfg(unix)]
pub mod host;
mod in_use;
pub mod lines;
#[cfg(heap_hooks)]
mod loaded;
#[cfg(unix)]
mod mapped;
#[cfg(unix)]
mod measurements;
#[cfg(unix)]
mod measuring;
#[cfg(unix)]
mod memory;
#[cfg(owner_hooks)]
mod mutexes;
#[cfg(heap_hooks)]
mod offset_tables;
#[cfg(unix)]
pub mod once;
#[cfg(unix)]
mod outlasting;
#[cfg(unix)]
pub mod outside;
#[cfg(unix)]
pub mod panic;
#[cfg(unix)]
pub mod program;
#[cfg(unix)]
pub mod protocol;
#[cfg(unix)]
mod requested;
#[cfg(unix)]
mod rss;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod sampling_thread;
#[cfg(unix)]
mod settle;
#[cfg(unix)]
mod shared;
#[cfg(unix)]
mod shared_common;
#[cfg(unix)]
mod shared_pages;
#[cfg(unix)]
pub mod shared_statics;
#[cfg(unix)]
mod shield;
#[cfg(unix)]
mod surroundings;
#[cfg(unix)]
mod test;
mod threads;
#[cfg(unix)]
mod time;
#[cfg(unix)]
pub mod timeline;
#[cfg(unix)]
mod unhook;
#[cfg(unix)]
mod variables;
