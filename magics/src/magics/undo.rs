//! `%undo`: takes the session back to before its last cell.

use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

/// The magic.
pub(crate) struct Undo;

impl Magic for Undo {
    fn name(&self) -> &'static str {
        "undo"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "Take the session back to before its last cell"
    }

    fn details(&self) -> &'static str {
        "Restores variables, items and dependencies to their state before the last cell that changed \
         the session. Repeat `%undo` to go back further, as long as checkpoints are left; `%session` \
         shows how many.\n\
         \n\
         `%undo` does not restore anything outside the session, such as files."
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::Undo)
    }
}
