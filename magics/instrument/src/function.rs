//! A function with probes, and the runtime that the probes call.

use crate::mark::Options;

/// Paths of what generated code calls, all below one path of a crate.
#[derive(Debug, Clone, Copy)]
pub struct Runtime<'a> {
    /// For example `::memit_session::lines`.
    pub path: &'a str,
}

/// A function that has been given probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// As [`functions`] lists it.
    pub name: String,
    /// The line of its signature, and that of its closing brace; the first line is 1.
    pub first: usize,
    /// See `first`.
    pub last: usize,
    /// The lines that have probes, in ascending order.
    pub lines: Vec<usize>,
    /// What its `#[profile]` asks for.
    pub options: Options,
}
