//! `%load` and `%run`: take code from files.

use super::file;
use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

/// `%load`
pub(crate) struct Load;

impl Magic for Load {
    fn name(&self) -> &'static str {
        "load"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Replace the cell by the text of a file"
    }

    fn argument(&self) -> &'static str {
        "FILE"
    }

    fn details(&self) -> &'static str {
        "The front-end replaces the cell by the text of the file, with the magic as a comment above. Run the cell \
         again to run the text. `memit eval` and `memit run` print the text.\n\
         \n\
         Example:\n    %load helpers.rs"
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let (file, range) = file::named(call, "%load")?;
        Ok(Action::Load { file, range })
    }
}

/// `%run`
pub(crate) struct Run;

impl Magic for Run {
    fn name(&self) -> &'static str {
        "run"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Run a file or a notebook in the session"
    }

    fn argument(&self) -> &'static str {
        "FILE.rs | FILE.ipynb"
    }

    fn details(&self) -> &'static str {
        "Runs a file as if its text were a cell, with commands, magics and all. A function `main` is defined and not \
         called: call it with `main()`. Of a notebook, all code cells run in order. An error names the file \
         and the line.\n\
         \n\
         Examples:\n    %run helpers.rs\n    %run first_part.ipynb"
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let (file, range) = file::named(call, "%run")?;
        Ok(Action::Run { file, range })
    }
}
