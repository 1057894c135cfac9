//! `%history` and `%rerun`: show and run earlier cells.

use crate::cell::numbers::Numbers;
use crate::cell::options::OptionSpec;
use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

const NUMBERED: OptionSpec = OptionSpec {
    short: 'n',
    long: "numbers",
    value: None,
    help: "Show the numbers of the cells.",
};

const LAST: OptionSpec = OptionSpec {
    short: 'l',
    long: "last",
    value: Some("N"),
    help: "The last N cells.",
};

/// `%history`
pub(crate) struct History;

impl Magic for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Show the cells of this session"
    }

    fn argument(&self) -> &'static str {
        "[RANGES]"
    }

    fn details(&self) -> &'static str {
        "Without RANGES, shows all cells that have run before this one, also those that have failed. RANGES are \
         numbers of cells: `3`, `4-6` for the cells from 4 to 6, `7-` for all from 7 on.\n\
         \n\
         Examples:\n    %history -n\n    %history -n 1 4-6"
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[NUMBERED, LAST]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        Ok(Action::ShowHistory {
            cells: numbers(call)?.unwrap_or(Numbers::All),
            numbered: call.options.has(NUMBERED.short),
        })
    }
}

/// `%rerun`
pub(crate) struct Rerun;

impl Magic for Rerun {
    fn name(&self) -> &'static str {
        "rerun"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Run earlier cells again"
    }

    fn argument(&self) -> &'static str {
        "[RANGES]"
    }

    fn details(&self) -> &'static str {
        "Without RANGES, runs the last cell again. RANGES are numbers of cells: `3`, `4-6` for the cells from 4 \
         to 6, `7-` for all from 7 on. The cells run in this order, and the first cell that fails ends the \
         magic.\n\
         \n\
         Examples:\n    %rerun\n    %rerun -l 3\n    %rerun 1 4-6"
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[LAST]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        Ok(Action::Rerun {
            cells: numbers(call)?.unwrap_or(Numbers::Last(1)),
            range: call.text_range(),
        })
    }
}

/// The cells that the call names, if it names any.
fn numbers(call: &Call) -> Result<Option<Numbers>, MagicError> {
    let text = call.text();
    let what = "a whole number above 0";
    let last = call.options.value(LAST.short, what, |n: &usize| *n > 0)?;
    match (last, text) {
        (Some(_), text) if !text.is_empty() => Err(MagicError::new(
            "`-l` and ranges exclude each other",
            call.text_range(),
        )),
        (Some(count), _) => Ok(Some(Numbers::Last(count))),
        (None, "") => Ok(None),
        (None, text) => Numbers::parse(text).map(Some).map_err(|word| {
            let start = call.text_range().start + word.as_ptr().addr() - text.as_ptr().addr();
            let message = format!("`{word}` is no range of cells");
            MagicError::new(message, start..start + word.len())
                .with_help("ranges are `3`, `4-6` or `7-`")
        }),
    }
}
