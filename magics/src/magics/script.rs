//! `%%bash` and `%%sh`: run the cell by a shell.

use crate::cell::options::OptionSpec;
use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

const UNCHECKED: OptionSpec = OptionSpec {
    short: 'n',
    long: "no-raise-error",
    value: None,
    help: "Do not fail if the script fails.",
};

/// The magic for a shell.
pub(crate) struct Script {
    name: &'static str,
    summary: &'static str,
}

/// `%%bash`
pub(crate) const BASH: Script = Script {
    name: "bash",
    summary: "Run the cell by bash",
};

/// `%%sh`
pub(crate) const SH: Script = Script {
    name: "sh",
    summary: "Run the cell by sh",
};

impl Magic for Script {
    fn name(&self) -> &'static str {
        self.name
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn first_line(&self) -> &'static str {
        ""
    }

    fn argument(&self) -> &'static str {
        "SCRIPT"
    }

    fn details(&self) -> &'static str {
        "The script runs in the working directory and with the environment of the session, and what it prints \
         appears at once. If the script ends with an exit code other than 0, the cell fails, and the error names \
         the code. An interrupt ends the script and all that it has started. The script has no input: a program \
         that reads standard input finds its end.\n\
         \n\
         A line that begins with `!` in an ordinary cell is run by `sh` in the same way."
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[UNCHECKED]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_only_body(self.name, "script")?;
        let (name, script) = (self.name, call.body_text());
        let checked = !call.options.has(UNCHECKED.short);
        Ok(Action::Evaluate {
            source: format!(
                "::memit_session::run_script({name:?}, {name:?}, {script:?}, {checked})?;"
            ),
            range: call.name.clone(),
        })
    }
}
