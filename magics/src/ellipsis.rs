//! Text that has to fit.

/// `text`, with an ellipsis in place of what exceeds `longest` characters.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let longest = longest.max(1);
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn only_a_long_text_is_cut() {
        assert_eq!(shortened("größe", 5), "größe");
        assert_eq!(shortened("größer", 5), "größ…");
        assert_eq!(shortened("größer", 0), "…");
    }
}
