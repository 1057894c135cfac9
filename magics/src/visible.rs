//! Text from outside, fit to be shown.

use std::borrow::Cow;

/// The text as one line in which nothing acts: a terminal would obey control characters, and XML, and
/// with it SVG, cannot contain them.
///
/// Control characters become their pictures, as `␛`, or `�` if they have none. Line breaks and tabs
/// become blanks. Marks that turn the direction of the text around, and with it the rest of the line,
/// become `�`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| shown(character) == character) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(shown).collect())
}

fn shown(character: char) -> char {
    const PICTURES: u32 = 0x2400;
    match character {
        '\t' | '\n' | '\r' => ' ',
        '\0'..='\x1f' => char::from_u32(PICTURES + u32::from(character)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fffe}'
        | '\u{ffff}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_seen_and_do_nothing() {
        for (text, expected) in [
            ("a\x01b", "a␁b"),
            ("bell\u{7}", "bell␇"),
            ("\x1b[31mred", "␛[31mred"),
            ("\u{9b}31m", "\u{fffd}31m"),
            ("del\x7f nul\0", "del␡ nul␀"),
            ("two\nlines\tand\r", "two lines and "),
            ("\u{202e}txt.exe", "\u{fffd}txt.exe"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "größe ×3 👩‍👩‍👧", "Vec<T>::push(&'a str)"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_stays_as_it_is(text: String) {
            let shown = visible(&text).into_owned();
            prop_assert!(!shown.contains(char::is_control));
            prop_assert_eq!(visible(&shown), shown.as_str());
        }
    }
}
