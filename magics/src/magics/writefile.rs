//! `%%writefile`: writes the cell to a file.

use super::file;
use crate::cell::options::OptionSpec;
use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

const APPEND: OptionSpec = OptionSpec {
    short: 'a',
    long: "append",
    value: None,
    help: "Append the text to the file instead of replacing the file.",
};

/// The magic.
pub(crate) struct Writefile;

impl Magic for Writefile {
    fn name(&self) -> &'static str {
        "writefile"
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Write the cell to a file"
    }

    fn first_line(&self) -> &'static str {
        "FILE"
    }

    fn argument(&self) -> &'static str {
        "TEXT"
    }

    fn details(&self) -> &'static str {
        "Replaces the file, or creates the file. The directory of the file must exist. A relative path starts \
         from the working directory of the session, which `%cd` changes. `~` stands for the home directory, and \
         a path with blanks may stand in quotes.\n\
         \n\
         Example:\n    %%writefile data.csv\n    name,age\n    Ada,36"
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[APPEND]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let (file, range) = file::named(call, "%%writefile")?;
        Ok(Action::Write {
            file,
            range,
            text: call.body_text(),
            appends: call.options.has(APPEND.short),
        })
    }
}
