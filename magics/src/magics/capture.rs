//! `%%capture`: keeps the output of the cell in a variable.

use crate::cell::options::OptionSpec;
use crate::cell::snippet::Snippet;
use crate::cell::syntax;
use crate::error::MagicError;
use crate::magic::{Action, Call, Capture, Content, Form, Magic};

const NO_STDOUT: OptionSpec = OptionSpec {
    short: 'o',
    long: "no-stdout",
    value: None,
    help: "Show standard output instead of capturing it.",
};

const NO_STDERR: OptionSpec = OptionSpec {
    short: 'e',
    long: "no-stderr",
    value: None,
    help: "Show standard error instead of capturing it.",
};

const NO_DISPLAY: OptionSpec = OptionSpec {
    short: 'd',
    long: "no-display",
    value: None,
    help: "Show values and rich outputs instead of capturing them.",
};

/// The magic.
pub(crate) struct Captured;

impl Magic for Captured {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn content(&self) -> Content {
        Content::Cell
    }

    fn summary(&self) -> &'static str {
        "Run the cell and keep its output in a variable"
    }

    fn first_line(&self) -> &'static str {
        "[NAME]"
    }

    fn argument(&self) -> &'static str {
        "CELL"
    }

    fn details(&self) -> &'static str {
        "The lines below are a cell, which may contain magics. Its output is not shown. NAME becomes a variable \
         with the output: `NAME.stdout` and `NAME.stderr` are texts, `NAME.outputs` are the values and rich \
         outputs as text, and `NAME.show()` prints all of them. Without NAME, the output is dropped.\n\
         \n\
         Example:\n    %%capture log\n    println!(\"{}\", 6 * 7);"
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[NO_STDOUT, NO_STDERR, NO_DISPLAY]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let name = call.text();
        if !name.is_empty() && !syntax::is_name(name) {
            let message = "`%%capture` takes the name of a variable";
            return Err(MagicError::new(message, call.text_range()));
        }
        let captures = |option: OptionSpec| !call.options.has(option.short);
        Ok(Action::Capture(Capture {
            variable: Some(name.to_owned()).filter(|name| !name.is_empty()),
            body: call.body.as_ref().map(Snippet::range).unwrap_or_default(),
            stdout: captures(NO_STDOUT),
            stderr: captures(NO_STDERR),
            display: captures(NO_DISPLAY),
        }))
    }
}
