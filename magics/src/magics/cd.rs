//! `%cd`: changes the working directory.

use super::file::unquoted;
use super::statement::QUIET;
use crate::cell::options::OptionSpec;
use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

/// The home directory.
const HOME: &str = "~";

const SILENT: OptionSpec = OptionSpec {
    help: "Do not print the new directory.",
    ..QUIET
};

/// The magic.
pub(crate) struct Cd;

impl Magic for Cd {
    fn name(&self) -> &'static str {
        "cd"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Change the working directory"
    }

    fn argument(&self) -> &'static str {
        "[DIR | -]"
    }

    fn details(&self) -> &'static str {
        "Changes the working directory of the session process, and prints the new directory. Cells, shell lines \
         and the files of magics start from there. Without DIR, `%cd` changes to the home directory. `-` is the \
         directory before the last `%cd`.\n\
         \n\
         The change stays if a later cell fails. `%undo` takes the change back. Paths in `:dep` start from the \
         directory in which the kernel was started.\n\
         \n\
         Examples:\n    %cd data\n    %cd -"
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[SILENT]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let directory = match unquoted(call.text()) {
            "" => HOME,
            directory => directory,
        };
        let quiet = call.options.has(SILENT.short);
        Ok(Action::Evaluate {
            source: format!("::memit_session::change_directory({directory:?}, {quiet})?;"),
            range: call.text_range(),
        })
    }
}
