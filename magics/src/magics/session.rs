//! `%session`: what the session is and holds.

use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

/// The magic.
pub(crate) struct Session;

impl Magic for Session {
    fn name(&self) -> &'static str {
        "session"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "Show the session process and whether the next cell is protected"
    }

    fn details(&self) -> &'static str {
        "Before each cell the session process is copied by a fork, and the copy waits as a checkpoint: \
         if the cell panics, crashes, exits or is interrupted, the session goes on from there and has \
         lost nothing. A process with more than one thread cannot be copied; its cells run without \
         protection until the threads have ended.\n\
         \n\
         The checkpoints of the last cells are kept for `%undo`."
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::DescribeSession)
    }
}
