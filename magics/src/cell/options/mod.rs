//! Options of a magic: cut off by byte offset, so that the Rust behind them stays as written.

mod read;

use std::ops::Range;
use std::str::FromStr;

pub use read::parse;

use crate::error::MagicError;

/// An option that a magic takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionSpec {
    /// `-r`
    pub short: char,
    /// `repeat` of `--repeat`.
    pub long: &'static str,
    /// What stands for its value in help (`R`), or `None` for a flag.
    pub value: Option<&'static str>,
    /// What it does.
    pub help: &'static str,
}

/// Every magic has this one; it shows the magic's help.
pub const HELP: OptionSpec = OptionSpec {
    short: 'h',
    long: "help",
    value: None,
    help: "Show this help.",
};

/// An option as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    short: char,
    value: Option<String>,
    /// Where it stands in the cell.
    span: Range<usize>,
}

/// The options of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    given: Vec<Given>,
}

impl Options {
    /// Whether the flag is there.
    pub fn has(&self, short: char) -> bool {
        self.given.iter().any(|given| given.short == short)
    }

    /// The value of an option as it was typed; the last one counts.
    pub fn text(&self, short: char) -> Option<&str> {
        self.last(short).and_then(|given| given.value.as_deref())
    }

    /// The values of an option as they were typed, each with where it stands in the cell.
    pub fn all(&self, short: char) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.given
            .iter()
            .filter(move |given| given.short == short)
            .filter_map(|given| Some((given.value.as_deref()?, given.span.clone())))
    }

    /// Where an option stands in the cell.
    pub fn span(&self, short: char) -> Option<Range<usize>> {
        self.last(short).map(|given| given.span.clone())
    }

    /// The value of an option, which must be `what` (“a whole number above 0”) and pass `valid`.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn value<T: FromStr>(
        &self,
        short: char,
        what: &str,
        valid: impl FnOnce(&T) -> bool,
    ) -> Result<Option<T>, MagicError> {
        let Some(given) = self.last(short) else {
            return Ok(None);
        };
        let text = given.value.as_deref().unwrap_or_default();
        match text.parse().ok().filter(valid) {
            Some(value) => Ok(Some(value)),
            None => Err(MagicError::new(
                format!("`-{short}` takes {what}, not `{text}`"),
                given.span.clone(),
            )),
        }
    }

    fn last(&self, short: char) -> Option<&Given> {
        self.given.iter().rfind(|given| given.short == short)
    }
}
