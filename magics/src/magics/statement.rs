//! Options and checks of all magics that measure statements.

use crate::cell::options::OptionSpec;
use crate::cell::snippet::Snippet;
use crate::cell::syntax::{Closed, Completeness, Leaving, Statements, Unbalanced};
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

/// Where to deliver the answer, according to [`RETURN`], [`QUIET`], [`VARIABLE`] and the variable in front of
/// the magic.
pub(crate) fn delivery(call: &Call) -> Result<Delivery, MagicError> {
    let options = &call.options;
    let bound = call.variable.as_ref();
    if let (Some((name, _)), Some(span)) = (bound, options.span('v')) {
        let message = format!("the result is bound to `{name}` already");
        return Err(MagicError::new(message, span).with_help("leave `-v` out"));
    }
    let variable = options.value('v', "the name of a variable", |name: &String| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
            && chars.all(|c| c == '_' || c.is_alphanumeric())
            && name != "_"
            && Statements::parse(&format!("let {name} = 1;")).bound_names() == [name.as_str()]
    })?;
    Ok(Delivery {
        quiet: options.has('q'),
        returned: options.has('o') && bound.is_none(),
        variable: bound.map(|(name, _)| name.clone()).or(variable),
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

/// Refuses snippets that cannot be measured, where the compiler's own error would be about our code.
pub(crate) fn check(snippets: &[&Snippet]) -> Result<(), MagicError> {
    for (index, snippet) in snippets.iter().enumerate() {
        let statements = Statements::parse(snippet.text());
        let start = snippet.range().start;
        if let Some(Leaving { keyword, range }) = statements.leaving() {
            let span = start + range.start..start + range.end;
            let message = format!("`{keyword}` cannot leave a measured statement");
            let help = if keyword == "return" {
                "the value of the statements is their last expression: leave `return` out, or put the \
                 statements into a function"
            } else {
                "there is no loop around it within the statements"
            };
            return Err(MagicError::new(message, span).with_help(help));
        }
        unfinished(snippet, &statements, index + 1 == snippets.len())?;
    }
    Ok(())
}

/// Refuses a snippet that ends too early, or whose brackets do not match. Our code adds a `;` to each snippet
/// but the last.
fn unfinished(snippet: &Snippet, statements: &Statements, is_last: bool) -> Result<(), MagicError> {
    let (text, start) = (snippet.text(), snippet.range().start);
    let at = |byte: usize| start + byte..start + byte + 1;
    match statements.unbalanced() {
        Some(Unbalanced::Open { what, at: byte }) => {
            return Err(MagicError::new(format!("{what} is not closed"), at(byte)));
        }
        Some(Unbalanced::Wrong(Closed { at: byte, opened })) => {
            let bracket = &text[byte..=byte];
            let message = match opened {
                Some(opened) => {
                    format!("`{bracket}` does not close `{}`", &text[opened..=opened])
                }
                None => format!("`{bracket}` closes nothing in the statements"),
            };
            return Err(MagicError::new(message, at(byte)));
        }
        None => {}
    }
    let Completeness::Incomplete { .. } = statements.completeness() else {
        return Ok(());
    };
    let end = start + text.trim_end().len();
    let needs_semicolon = Statements::parse(&format!("{text}\n;")).is_valid();
    if needs_semicolon && !is_last {
        return Ok(());
    }
    let error = if needs_semicolon {
        MagicError::new("`;` is missing at the end of the statement", end..end)
            .with_help("a `let` ends with `;`; to measure a value, write the value alone")
    } else {
        MagicError::new("the statement is not complete: it ends here", end..end)
    };
    Err(error)
}
