//! Why a function gets no probes.

use std::fmt;

/// Why there are no probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The source is no Rust.
    Syntax {
        /// What the parser says.
        message: String,
        /// Where, from 1.
        line: usize,
    },
    /// There is no function of this name; `known` are those that there are.
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// An option of `#[profile]` is wrong.
    Option {
        /// Which, and what would be right.
        message: String,
        /// Where, from 1.
        line: usize,
    },
    /// A `const fn` is also run by the compiler, which cannot call the runtime.
    Const {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message, line } => write!(out, "line {line}: {message}"),
            Self::Option { message, .. } => out.write_str(message),
            Self::Unknown { name, known } if known.is_empty() => {
                write!(out, "there is no function `{name}`, nor any other")
            }
            Self::Unknown { name, known } => {
                let known = known.join("`, `");
                write!(out, "there is no function `{name}`, but there is `{known}`")
            }
            Self::Const { name } => {
                write!(out, "`{name}` is a `const fn`, which cannot be profiled")
            }
        }
    }
}

impl std::error::Error for Error {}
