//! A function with probes, and the runtime that the probes call.

use crate::mark::Options;

/// The runtime that generated code calls.
#[derive(Debug, Clone, Copy)]
pub struct Runtime<'a> {
    /// Path of the module that everything is in, for example `::memit_session::lines`.
    pub path: &'a str,
}

/// A function with probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name as [`crate::functions`] lists it.
    pub name: String,
    /// The line of the signature, from 1.
    pub first: usize,
    /// The line of the closing brace.
    pub last: usize,
    /// The lines that have probes, in ascending order.
    pub lines: Vec<usize>,
    /// The options of the function's `#[profile]`.
    pub options: Options,
    /// Whether the function can also run without probes.
    pub switched: bool,
}
