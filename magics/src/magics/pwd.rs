//! `%pwd`: shows the working directory.

use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

/// The magic.
pub(crate) struct Pwd;

impl Magic for Pwd {
    fn name(&self) -> &'static str {
        "pwd"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Show the working directory"
    }

    fn details(&self) -> &'static str {
        "Shows the working directory of the session process, where relative paths of cells, shell lines and \
         magics start. `%cd` changes the directory."
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::ShowDirectory)
    }
}
