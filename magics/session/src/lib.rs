//! The session process of memit, and the supervisor that loses nothing when a cell goes wrong.
//!
//! ```text
//! kernel process  <-socket->  supervisor  -fork->  session process  -fork->  measured run
//! compiles cells              no user code         holds the variables       one repetition
//!                                                         |
//!                                                       fork -> checkpoints
//! ```
//!
//! All of these are the same executable. Cells are shared libraries that the session process loads.
#![cfg(unix)]

pub mod relay;
mod session_loop;
pub mod supervisor;
