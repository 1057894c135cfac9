//! Asks the user for input on behalf of a running cell.

/// A question of a cell, which asks for one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The text to show before the answer; may be empty.
    pub(crate) prompt: String,
    /// Whether to hide the answer while it is typed.
    pub(crate) password: bool,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Nobody can be asked, for this reason.
    Impossible(String),
    /// The cell that asked has ended or is to end.
    GivenUp,
}

/// Asks the user for a running cell.
pub(crate) trait Input: Send + Sync {
    /// Shows the question and waits for the answer. Calls `given_up` several times a second, and
    /// stops waiting once it returns true.
    fn ask(&self, question: &Question, given_up: &dyn Fn() -> bool) -> Result<String, NoAnswer>;
}

/// Refuses every question, for this reason.
pub(crate) struct NoInput(pub(crate) &'static str);

impl Input for NoInput {
    fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<String, NoAnswer> {
        Err(NoAnswer::Impossible(self.0.to_owned()))
    }
}
