//! Puts line probes into Rust functions.
//!
//! A probe reports to the runtime which line is about to run. Probes are inserted between the tokens
//! of the source. No line break is added or removed, so every compiler message keeps its line, and
//! the function computes the same.
//!
//! These get a probe of their own if they start on a line of their own: a statement, the header of a
//! loop (once per iteration), the condition of an `else if`, the arm of a `match`, the body of a
//! closure. The end of a block gets one if variables may be dropped there. Items inside a function
//! get none.
#![forbid(unsafe_code)]

mod edit;
mod error;
mod find;
mod function;
mod inlining;
mod item;
mod mark;
mod probe;
mod text;

pub use edit::{Insertion, plain_column};
pub use error::{Error, made_by_macro};
pub use find::{functions, whole_name};
pub use function::{Function, Runtime};
pub use item::instrument_item;
pub use mark::Options;
pub use memit_lines::is_called;
pub use text::{Instrumented, Which, instrument};

#[cfg(test)]
mod tests;
