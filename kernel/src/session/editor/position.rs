//! Converts between Jupyter's positions in Unicode code points and Rust's in bytes.

/// The byte offset of a code point; the end of `text` if it has fewer code points.
pub(crate) fn to_bytes(text: &str, code_points: usize) -> usize {
    text.char_indices()
        .nth(code_points)
        .map_or(text.len(), |(at, _)| at)
}

/// The number of code points that start before a byte offset.
pub(crate) fn to_code_points(text: &str, bytes: usize) -> usize {
    text.char_indices()
        .take_while(|(at, _)| *at < bytes)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn astral_characters_count_once() {
        let text = "a🦀é";
        assert_eq!(to_bytes(text, 2), 5);
        assert_eq!(to_code_points(text, 5), 2);
        assert_eq!(to_bytes(text, 9), text.len());
    }
}
