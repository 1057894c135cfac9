//! The tests of a cell.

use super::{Body, Text};

/// A test, which runs in a fork.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct TestCase {
    /// The path of the function.
    pub name: Text<'static>,
    /// Whether the test is left out.
    pub is_ignored: bool,
    /// Why the test is left out; may be empty.
    pub reason: Text<'static>,
    /// Whether the test must panic.
    pub should_panic: bool,
    /// Runs the test in the fork. The ending is [`super::Ending::Finished`] if the test has passed.
    pub body: Body,
}
