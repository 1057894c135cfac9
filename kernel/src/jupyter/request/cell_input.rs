//! Puts the questions of a cell to the client that runs it.

use std::sync::Arc;

use crate::jupyter::socket::{Iopub, Stdin};
use crate::jupyter::wire::Message;
use crate::session::{Input, NoAnswer, Question};

/// Asks the client of one request.
pub(super) struct CellInput {
    /// Where to ask.
    pub(super) stdin: Arc<Stdin>,
    /// Where the cell has published what is to be read before its question.
    pub(super) iopub: Iopub,
    /// The request that runs the cell.
    pub(super) request: Message,
    /// Whether the client is prepared to be asked.
    pub(super) allowed: bool,
}

impl Input for CellInput {
    fn ask(&self, question: &Question, given_up: &dyn Fn() -> bool) -> Result<String, NoAnswer> {
        if !self.allowed {
            let why = "the front-end that runs it takes none (`allow_stdin` is false); \
                       run it in a notebook or a console";
            return Err(NoAnswer::Impossible(why.to_owned()));
        }
        self.iopub.flush();
        self.stdin.ask(&self.request, question, given_up)
    }
}
