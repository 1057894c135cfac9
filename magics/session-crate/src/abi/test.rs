//! A test of a cell, which runs in a fork.

/// How the fork of a test ended.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestEnd {
    /// What happened.
    pub kind: TestEndKind,
    /// The exit code or the number of the signal.
    pub number: i32,
}

/// What happened to the fork of a test.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestEndKind {
    /// The test has passed.
    Passed = 1,
    /// The test has failed, and its output says why.
    Failed = 2,
    /// The test ended its process.
    Exited = 3,
    /// A signal ended the process.
    Signalled = 4,
    /// The test took too long.
    TimedOut = 5,
    /// The user has interrupted the cell.
    Interrupted = 6,
    /// The session could not be forked; the output of the test says why.
    NotRun = 7,
}
