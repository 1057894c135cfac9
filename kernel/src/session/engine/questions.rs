//! Answers the questions of a running cell, and reports questions that nobody answered.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use memit_measurement::message::COLON;

use super::interrupter::Interrupter;
use super::supervisor_link::SupervisorLink;
use crate::session::errors::CellError;
use crate::session::io::{Input, NoAnswer, Question};

/// A cell with this many refused questions asks in a loop, and is interrupted.
const MAX_REFUSALS: u32 = 100;

/// The questions of one cell.
pub(crate) struct Questions {
    input: Arc<dyn Input>,
    /// Why the first refused question was refused.
    refused: RefCell<Option<String>>,
    refusals: Cell<u32>,
}

impl Questions {
    /// Creates the questions of a cell; `input` answers them.
    pub(crate) fn new(input: Arc<dyn Input>) -> Self {
        Self {
            input,
            refused: RefCell::default(),
            refusals: Cell::default(),
        }
    }

    /// Answers a question with one line. Without an answer the line is empty, because the cell
    /// waits for a line.
    pub(crate) fn answer(&self, prompt: &str, password: bool, link: &SupervisorLink) -> String {
        let question = Question {
            prompt: prompt.replace(char::from(COLON), ":"),
            password,
        };
        // The earlier output of the cell must appear before its question.
        link.sync();
        let given_up = || link.interrupted() || link.has_ended();
        match self.input.ask(&question, &given_up) {
            // The cell would take a second line for the answer to its next question.
            Ok(answer) => answer.lines().next().unwrap_or_default().to_owned(),
            Err(NoAnswer::GivenUp) => String::new(),
            Err(NoAnswer::Impossible(why)) => {
                self.refused.borrow_mut().get_or_insert(why);
                self.refusals.set(self.refusals.get() + 1);
                if self.refusals.get() == MAX_REFUSALS {
                    Interrupter::new(link.interrupt_sender()).interrupt();
                }
                String::new()
            }
        }
    }

    /// Asks a question of the kernel.
    ///
    /// # Errors
    ///
    /// If nobody answers.
    pub(crate) fn ask(&self, prompt: &str, link: &SupervisorLink) -> Result<String, NoAnswer> {
        let question = Question {
            prompt: prompt.to_owned(),
            password: false,
        };
        self.input.ask(&question, &|| link.interrupted())
    }

    /// Whether a question was refused.
    pub(crate) fn refused(&self) -> bool {
        self.refused.borrow().is_some()
    }

    /// The result of the cell: if a question was refused, that is the error, and the error that
    /// followed from it stands below.
    pub(crate) fn outcome(&self, result: Result<(), CellError>) -> Result<(), CellError> {
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
    use crate::session::io::NoInput;

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
