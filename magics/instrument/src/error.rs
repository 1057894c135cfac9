//! Errors of the instrumenter.

use std::fmt;

/// Why a source gets no probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The source is not Rust.
    Syntax {
        /// The parser's message.
        message: String,
        /// Where, from 1.
        line: usize,
    },
    /// The source has no function of this name.
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The functions of the source.
        known: Vec<String>,
        /// The macro that makes the function, if one does.
        made_by: Option<String>,
    },
    /// An option of `#[profile]` is wrong.
    Option {
        /// Which option is wrong, and what would be right.
        message: String,
        /// Where, from 1.
        line: usize,
    },
    /// A `const fn` is also run by the compiler, which cannot call the runtime.
    Const {
        /// The name of the function.
        name: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message, line } => write!(out, "line {line}: {message}"),
            Self::Option { message, .. } => out.write_str(message),
            Self::Unknown {
                name,
                made_by: Some(made_by),
                ..
            } => write!(out, "{}", made_by_macro(name, made_by)),
            Self::Unknown { name, known, .. } if known.is_empty() => {
                write!(out, "there is no function `{name}`, nor any other")
            }
            Self::Unknown { name, known, .. } => {
                let known = known.join("`, `");
                write!(out, "there is no function `{name}`, but there is `{known}`")
            }
            Self::Const { name } => {
                write!(out, "`{name}` is a `const fn`, which cannot be profiled")
            }
        }
    }
}

/// The message for a function that a macro makes.
pub fn made_by_macro(name: &str, made_by: &str) -> String {
    format!(
        "the macro `{made_by}!` makes `{name}`, so its lines cannot be profiled: \
         write the function without the macro, or profile the function that calls it"
    )
}

impl std::error::Error for Error {}
