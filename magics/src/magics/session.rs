//! `%session`: the state of the session process.

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
        "Before each cell, the session process forks, and the fork waits as a checkpoint. If the cell \
         panics, crashes, exits or is interrupted, the session continues from the checkpoint and \
         loses nothing. The threads of the session are forked with it. A thread that cannot be forked \
         leaves the cells without protection until the thread has ended.\n\
         \n\
         The checkpoints of the last cells are kept for `%undo`."
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::DescribeSession)
    }
}
