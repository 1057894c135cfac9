//! `%reset`: forgets everything that cells have defined.

use crate::cell::options::OptionSpec;
use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

const FORCE: OptionSpec = OptionSpec {
    short: 'f',
    long: "force",
    value: None,
    help: "Do not ask first.",
};

/// The magic.
pub(crate) struct Reset;

impl Magic for Reset {
    fn name(&self) -> &'static str {
        "reset"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "Forget all variables, items and dependencies"
    }

    fn details(&self) -> &'static str {
        "Begins a new session process without variables, items, imports and dependencies. Settings, \
         such as that of `:opt`, stay. `%undo` cannot take a `%reset` back. `:clear` is `%reset -f`. \
         `%xdel` deletes a single variable or item.\n\
         \n\
         Compiled dependencies are kept on disk, so that a `:dep` after `%reset` is quick."
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[FORCE]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::Reset {
            asks: !call.options.has(FORCE.short),
        })
    }
}
