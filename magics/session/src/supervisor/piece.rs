//! The parts of standard output.

/// A piece of standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// The user's bytes.
    Output(Vec<u8>),
    /// Rich content: its MIME type and text.
    Content(String, String),
    /// A question for the user: a line for evcxr, with its line end.
    Question(Vec<u8>),
}
