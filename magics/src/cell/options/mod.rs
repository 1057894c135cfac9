//! Options of a magic. They are cut off by byte offset, so the Rust behind them stays as written.

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
    /// The placeholder of its value in help (`R`); `None` for a flag.
    pub value: Option<&'static str>,
    /// The description in help.
    pub help: &'static str,
}

/// The option of every magic that shows its help.
pub const HELP: OptionSpec = OptionSpec {
    short: 'h',
    long: "help",
    value: None,
    help: "Show this help.",
};

/// An option as the user typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    short: char,
    value: Option<String>,
    /// Its bytes in the cell.
    span: Range<usize>,
}

/// The options of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    given: Vec<Given>,
}

impl Options {
    /// Whether the option is given.
    pub fn has(&self, short: char) -> bool {
        self.given.iter().any(|given| given.short == short)
    }

    /// The value of an option as the user typed it; the last one counts.
    pub fn text(&self, short: char) -> Option<&str> {
        self.last(short).and_then(|given| given.value.as_deref())
    }

    /// All values of an option as the user typed them, each with its bytes in the cell.
    pub fn all(&self, short: char) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.given
            .iter()
            .filter(move |given| given.short == short)
            .filter_map(|given| Some((given.value.as_deref()?, given.span.clone())))
    }

    /// The bytes of an option in the cell.
    pub fn span(&self, short: char) -> Option<Range<usize>> {
        self.last(short).map(|given| given.span.clone())
    }

    /// The value of an option, checked by `valid`. `what` describes a valid value in the error:
    /// “a whole number above 0”.
    ///
    /// # Errors
    ///
    /// If the value is not valid.
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
