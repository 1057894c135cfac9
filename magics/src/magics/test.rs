//! `%%test`: runs the tests of the cell.

use std::fmt::Write as _;

use crate::cell::options::OptionSpec;
use crate::cell::snippet::Generated;
use crate::cell::syntax::{Statements, TestFunctions};
use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

const TIMEOUT: OptionSpec = OptionSpec {
    short: 't',
    long: "timeout",
    value: Some("SECONDS"),
    help: "End a test after this time, as a failure.",
};

const IGNORED: OptionSpec = OptionSpec {
    short: 'i',
    long: "include-ignored",
    value: None,
    help: "Run the tests with `#[ignore]`, too.",
};

/// The magic.
pub(crate) struct Test;

impl Magic for Test {
    fn name(&self) -> &'static str {
        "test"
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn summary(&self) -> &'static str {
        "Run the tests of the cell"
    }

    fn first_line(&self) -> &'static str {
        "[FILTER]"
    }

    fn argument(&self) -> &'static str {
        "CELL"
    }

    fn details(&self) -> &'static str {
        "Runs the cell, and then each function with `#[test]` in a fork of the session. A test that panics, aborts or \
         ends its process harms neither the session nor the other tests. `#[should_panic]`, `#[ignore]` and tests \
         that return a `Result` are as in `cargo test`. Modules with `#[cfg(test)]` are part of the cell. If there \
         is a FILTER, only tests whose path contains the FILTER run.\n\
         \n\
         The definitions of the cell stay in the session. If a test fails, the cell fails, and the session is \
         as it was before the cell.\n\
         \n\
         Example:\n    %%test\n    #[test]\n    fn adds() { assert_eq!(1 + 1, 2); }"
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[TIMEOUT, IGNORED]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let what = "a number of seconds above 0";
        let is_time = |seconds: &f64| *seconds > 0.0 && seconds.is_finite();
        let timeout = call.options.value(TIMEOUT.short, what, is_time)?;
        let runs_ignored = call.options.has(IGNORED.short);
        let filter = call.text();
        let Some(body) = &call.body else {
            return Err(MagicError::new("there is no cell", call.name.clone()));
        };
        let tests = TestFunctions::of(body.text());
        let start = body.range().start;
        if let Some(foreign) = tests.foreign {
            let message = "only functions with `#[test]` are tests here";
            let span = start + foreign.start..start + foreign.end;
            return Err(MagicError::new(message, span)
                .with_help("start the runtime in a function with `#[test]`"));
        }
        if tests.functions.is_empty() {
            let message = "the cell has no function with `#[test]`";
            return Err(MagicError::new(message, call.name.clone()));
        }
        let mut list = String::new();
        let mut filtered = 0;
        for test in &tests.functions {
            let path = &test.path;
            if !path.contains(filter) {
                filtered += 1;
                continue;
            }
            let ignored = test.ignored.as_ref().filter(|_| !runs_ignored);
            let _ = write!(
                list,
                "::memit_session::Test {{ name: {path:?}, run: || ::memit_session::succeeds({path}()), \
                 ignored: {}, should_panic: {} }}, ",
                optional(ignored),
                optional(test.should_panic.as_ref()),
            );
        }
        let mut generated = Generated::default();
        generated.snippet(&body.with_text(&tests.source));
        if Statements::parse(&tests.source).value().is_some() {
            generated.code(";");
        }
        let timeout = timeout.unwrap_or(0.0);
        generated.code(&format!(
            "::memit_session::run_tests(&[{list}], {filtered}, {timeout:?})?;"
        ));
        Ok(Action::Test(generated))
    }
}

fn optional(literal: Option<&String>) -> String {
    literal.map_or_else(|| "None".to_owned(), |literal| format!("Some({literal})"))
}
