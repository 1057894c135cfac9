//! `%lsmagic`: lists the magics.

use super::help;
use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

/// The magic.
pub(crate) struct Lsmagic;

impl Magic for Lsmagic {
    fn name(&self) -> &'static str {
        "lsmagic"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "List the magics"
    }

    fn details(&self) -> &'static str {
        "`%name?` shows the help of a magic."
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::Show(help::list()))
    }
}
