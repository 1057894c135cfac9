//! The name of a file behind the options of a magic.

use std::ops::Range;

use crate::error::MagicError;
use crate::magic::Call;

/// The file that the call names, and the bytes of its name in the cell. `magic` is the name of the magic
/// with its `%`.
pub(super) fn named(call: &Call, magic: &str) -> Result<(String, Range<usize>), MagicError> {
    let file = unquoted(call.text());
    if file.is_empty() {
        let message = format!("`{magic}` takes the name of a file");
        return Err(MagicError::new(message, call.name.clone()));
    }
    Ok((file.to_owned(), call.text_range()))
}

/// The text without the quotes around it.
pub(super) fn unquoted(text: &str) -> &str {
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn quotes_come_in_pairs() {
        for (text, expected) in [
            ("a b.txt", "a b.txt"),
            ("'a b.txt'", "a b.txt"),
            ("\"it's\"", "it's"),
            ("'", "'"),
            ("'a\"", "'a\""),
            ("''", ""),
        ] {
            assert_eq!(unquoted(text), expected);
        }
    }
}
