//! What a running cell asks the user for.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use memit_runtime::link::COLON;

use super::error::CellError;
use super::link::Link;

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

/// A cell that is refused more often than this asks in a loop, and is interrupted.
const MAX_REFUSALS: u32 = 100;

/// The questions of one cell.
pub(super) struct Questions {
    input: Arc<dyn Input>,
    /// Why the first unanswered one was not answered.
    refused: RefCell<Option<String>>,
    refusals: Cell<u32>,
}

impl Questions {
    /// Questions that are answered by `input`.
    pub(super) fn new(input: Arc<dyn Input>) -> Self {
        Self {
            input,
            refused: RefCell::default(),
            refusals: Cell::default(),
        }
    }

    /// The line for the cell: it waits for one, so without an answer it gets an empty one.
    pub(super) fn answer(&self, prompt: &str, password: bool, link: &Link) -> String {
        let question = Question {
            prompt: prompt.replace(char::from(COLON), ":"),
            password,
        };
        // What the cell has printed belongs before its question.
        link.sync();
        let given_up = || link.interrupted() || link.has_ended();
        match self.input.ask(&question, &given_up) {
            // A second line would be taken for the answer to the next question.
            Ok(answer) => answer.lines().next().unwrap_or_default().to_owned(),
            Err(NoAnswer::GivenUp) => String::new(),
            Err(NoAnswer::Impossible(why)) => {
                self.refused.borrow_mut().get_or_insert(why);
                self.refusals.set(self.refusals.get() + 1);
                if self.refusals.get() == MAX_REFUSALS {
                    link.interrupter().interrupt();
                }
                String::new()
            }
        }
    }

    /// Whether a question could not be asked.
    pub(super) fn refused(&self) -> bool {
        self.refused.borrow().is_some()
    }

    /// The outcome of the cell that asked: if a question could not be asked that is the error,
    /// and what came of it stands below.
    pub(super) fn outcome(&self, result: Result<(), CellError>) -> Result<(), CellError> {
        let Some(why) = &*self.refused.borrow() else {
            return result;
        };
        let message = format!("the cell asks for input, but {why}");
        let mut error = CellError::new("StdinNotImplementedError", message);
        if let Err(consequence) = result {
            error.traceback.extend(consequence.traceback);
        }
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unanswered_question_is_the_error_and_its_consequence_stands_below() {
        let questions = Questions::new(Arc::new(NoInput("nobody listens")));
        assert_eq!(questions.outcome(Ok(())), Ok(()));

        *questions.refused.borrow_mut() = Some("nobody listens".to_owned());
        let error = questions.outcome(Ok(())).unwrap_err();
        assert_eq!(error.ename, "StdinNotImplementedError");
        assert_eq!(error.evalue, "the cell asks for input, but nobody listens");

        let panicked = CellError::new("Panic", "not a number");
        let error = questions.outcome(Err(panicked)).unwrap_err();
        assert_eq!(
            error.traceback,
            [
                "StdinNotImplementedError: the cell asks for input, but nobody listens",
                "Panic: not a number"
            ]
        );
    }
}
