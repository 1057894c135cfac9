//! Reasons why a measurement did not finish.

use serde::{Deserialize, Serialize};

/// Why a measured snippet did not finish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FailureKind {
    /// The snippet panicked.
    Panic(Panic),
    /// A `?` in the snippet met an error.
    Returned {
        /// Its `Debug` text.
        error: String,
    },
    /// A signal ended the run.
    Signal {
        /// The system's number of the signal.
        number: i32,
    },
    /// The snippet ended its process itself (`std::process::exit`).
    Exit {
        /// The exit code.
        code: i32,
    },
    /// The time limit passed.
    TimedOut {
        /// The limit.
        seconds: f64,
    },
    /// The memory of the snippet passed the limit.
    PassedLimit {
        /// The limit in bytes.
        limit: u64,
        /// The size in bytes that memory reached, or would have reached.
        reached: u64,
        /// Whether the allocation that would have passed the limit was refused.
        refused: bool,
    },
    /// The user interrupted the run.
    Interrupted,
    /// The session cannot be forked with its threads, but the snippet was compiled to run in a fork.
    /// The caller compiles the snippet again to run in place.
    CannotFork {
        /// Why, as a clause.
        why: String,
    },
    /// The operating system refused something that a measurement needs.
    System {
        /// The system's message.
        message: String,
    },
}

/// A failure, and the memory of the run up to then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What happened.
    pub cause: FailureKind,
    /// Highest resident set size of the run in bytes, if known.
    pub peak_rss: Option<u64>,
    /// Threads of the session.
    pub threads: u32,
    /// Whether the session itself ran the snippet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_place: bool,
    /// Whether the snippet had run well before, so that a new set-up for each execution would help.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_fresh: bool,
}

/// A panic of user code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// The panic message.
    pub message: String,
    /// File of the panic, as the compiler names it.
    pub file: String,
    /// Line in that file, from 1.
    pub line: u32,
    /// Column in that line, from 1.
    pub column: u32,
}

/// A `?` at which a cell ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionMark {
    /// The `Display` text of the error.
    pub display: String,
    /// The `Debug` text of the error; empty if there is none.
    pub debug: String,
    /// File of the `?`, as the compiler names it.
    pub file: String,
    /// Line in that file, from 1.
    pub line: u32,
    /// Column in that line, from 1.
    pub column: u32,
}
