//! What magics give back: data in bytes and nanoseconds, which `-o` binds to a variable and
//! [`report`](crate::report) shows.

#[macro_use]
mod to_rust;

pub mod lines;
pub mod memory;
pub mod rust_value;
pub mod time;
pub mod timeline;
