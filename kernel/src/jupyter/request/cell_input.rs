//! Passes the questions of a cell on to the client that runs it.

use std::sync::Arc;

use crate::jupyter::socket::{Iopub, Stdin};
use crate::jupyter::wire::Message;
use crate::session::{Input, NoAnswer, Question};

/// Asks the client that sent a request.
pub(super) struct CellInput {
    /// The socket to ask on.
    pub(super) stdin: Arc<Stdin>,
    /// Flushed before a question, so that the user sees earlier output first.
    pub(super) iopub: Iopub,
    /// The request that runs the cell.
    pub(super) request: Message,
    /// Whether the client accepts questions.
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
