//! Options and checks of all magics that measure statements.

use crate::cell::options::{OptionSpec, Options};
use crate::cell::snippet::Snippet;
use crate::cell::syntax::Statements;
use crate::error::MagicError;
use crate::magic::{Call, Delivery};

pub(crate) const RETURN: OptionSpec = OptionSpec {
    short: 'o',
    long: "return",
    value: None,
    help: "Make the result the value of the cell.",
};

pub(crate) const QUIET: OptionSpec = OptionSpec {
    short: 'q',
    long: "quiet",
    value: None,
    help: "Do not show the result.",
};

pub(crate) const VARIABLE: OptionSpec = OptionSpec {
    short: 'v',
    long: "variable",
    value: Some("NAME"),
    help: "Bind the result to a variable of the session: a plain struct.",
};

/// Where to deliver the answer, according to [`RETURN`], [`QUIET`] and [`VARIABLE`].
pub(crate) fn delivery(options: &Options) -> Result<Delivery, MagicError> {
    let variable = options.value('v', "the name of a variable", |name: &String| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
            && chars.all(|c| c == '_' || c.is_alphanumeric())
            && name != "_"
            && Statements::parse(&format!("let {name} = 1;")).bound_names() == [name.as_str()]
    })?;
    Ok(Delivery {
        quiet: options.has('q'),
        returned: options.has('o'),
        variable,
        ..Delivery::default()
    })
}

/// The optional set-up and the statements to measure.
pub(crate) fn parts(call: &Call) -> Result<(Option<Snippet>, Snippet), MagicError> {
    let (setup, body) = match &call.body {
        Some(body) => (Some(call.argument.clone()), body.clone()),
        None => (None, call.argument.clone()),
    };
    if body.is_blank() {
        let message = if call.cell {
            "there is nothing below this line to measure"
        } else {
            "there is no statement to measure"
        };
        let span = call.argument.range();
        return Err(
            MagicError::new(message, span.start.saturating_sub(1)..span.end)
                .with_help("write the statement after the options, or `?` after the name for help"),
        );
    }
    Ok((setup.filter(|setup| !setup.is_blank()), body))
}

/// The snippets, checked as by [`check`].
pub(crate) fn checked<'a>(
    setup: Option<&'a Snippet>,
    body: &'a Snippet,
) -> Result<Vec<&'a Snippet>, MagicError> {
    let snippets: Vec<_> = setup.into_iter().chain([body]).collect();
    check(&snippets)?;
    Ok(snippets)
}

/// Refuses snippets that cannot be measured.
pub(crate) fn check(snippets: &[&Snippet]) -> Result<(), MagicError> {
    for snippet in snippets {
        if Statements::parse(snippet.text()).awaits() {
            return Err(
                MagicError::new("a measured statement cannot `.await`", snippet.range())
                    .with_help("give the future to a runtime's `block_on(async { … })`"),
            );
        }
    }
    Ok(())
}
