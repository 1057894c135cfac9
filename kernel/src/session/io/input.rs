//! What a running cell asks the user for.

/// A line that a cell asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// What to show before the answer; may be empty.
    pub(crate) prompt: String,
    /// The answer should not be shown while it is typed.
    pub(crate) password: bool,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// There is no one to ask; says why.
    Impossible(String),
    /// The cell that asked is over, or should be.
    GivenUp,
}

/// Asks the user for a running cell.
pub(crate) trait Input: Send + Sync {
    /// Shows the question and waits for the answer. While it waits it calls `given_up` several
    /// times a second, and stops waiting once that is true.
    fn ask(&self, question: &Question, given_up: &dyn Fn() -> bool) -> Result<String, NoAnswer>;
}

/// No one to ask, for this reason.
pub(crate) struct NoInput(pub(crate) &'static str);

impl Input for NoInput {
    fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<String, NoAnswer> {
        Err(NoAnswer::Impossible(self.0.to_owned()))
    }
}
