//! The results of magics: data in bytes and nanoseconds. `-v` binds a result to a variable, and
//! [`report`](crate::report) shows it.

#[macro_use]
mod to_rust;

pub mod lines;
pub mod memory;
pub mod rust_value;
pub mod time;
pub mod timeline;
