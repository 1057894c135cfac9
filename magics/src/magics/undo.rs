//! `%undo`: back to before the last cell.

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
        "Variables, items and dependencies are again what they were before the last cell that changed \
         the session. Again, `%undo` goes back one cell more, as far as there are checkpoints: \
         `%session` shows them.\n\
         \n\
         What cells have done outside the session, to files for example, stays done."
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::Undo)
    }
}
