//! The analyser: a process that completes and documents Rust.
//!
//! rust-analyzer takes seconds and hundreds of megabytes to read the standard library and the
//! dependencies. The kernel therefore starts a process for rust-analyzer when the kernel has nothing else to
//! do, or when an editor asks first. The process reads questions from standard input and writes answers to
//! standard output, one JSON object a line. The process stands still while a cell runs.

mod library;
mod link;
mod process;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use link::Analyser;
pub(crate) use process::run;

/// The argument that makes a process of this program the analyser.
pub(crate) const ARGUMENT: &str = "analyser";

/// A question about a place in a crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The directory of the crate's manifest.
    pub(crate) directory: PathBuf,
    /// The source of the crate.
    pub(crate) source: String,
    /// The byte of the source.
    pub(crate) at: usize,
    pub(crate) about: About,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum About {
    /// What may stand at the place.
    Completions,
    /// What the name at the place means.
    Documentation,
}

/// The answer to a question. The place may have no completions and no documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Completions(Completions),
    Documentation(Option<Documentation>),
}

/// Completions, and the bytes of the source that they replace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Completions {
    pub(crate) all: Vec<Completion>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Completion {
    pub(crate) code: String,
    /// The kind in the words of Jupyter: `function`, `class`, …
    pub(crate) kind: String,
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Documentation {
    pub(crate) plain: String,
    pub(crate) html: String,
}
