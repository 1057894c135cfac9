//! Errors in a magic as the user typed it.

use std::ops::Range;

/// An error in a magic: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MagicError {
    /// What is wrong.
    pub message: String,
    /// The bytes of the cell that are wrong.
    pub span: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

impl MagicError {
    /// An error about the bytes `span` of the cell.
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
            help: None,
        }
    }

    /// The same error with advice.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

/// The candidate closest to a misspelt word, if one is close enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| {
            *distance <= 1 + word.chars().count().max(candidate.chars().count()) / 3
        })
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_offered_if_it_is_near() {
        let names = ["memit", "timeit", "lsmagic"];
        assert_eq!(nearest("memti", names), Some("memit"));
        assert_eq!(nearest("time", names), Some("timeit"));
        assert_eq!(nearest("MEMIT", names), Some("memit"));
        assert_eq!(nearest("matplotlib", names), None);
    }
}
