//! Jupyter counts Unicode code points, Rust counts bytes.

/// The byte at which the code point number `code_points` starts; the end if there are fewer.
pub(crate) fn to_bytes(text: &str, code_points: usize) -> usize {
    text.char_indices()
        .nth(code_points)
        .map_or(text.len(), |(at, _)| at)
}

/// How many code points start before the byte `bytes`.
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
