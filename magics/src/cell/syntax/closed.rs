//! Brackets, strings and comments that are closed wrongly or not at all. No code around them makes them
//! valid.

use ra_ap_syntax::SyntaxKind;

use super::{BEFORE, Statements};

/// A closing bracket in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// The byte of the bracket.
    pub at: usize,
    /// The byte of the bracket of another kind that is open there.
    pub opened: Option<usize>,
}

/// A bracket, a string or a comment that is closed wrongly or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unbalanced {
    /// It is not closed.
    Open {
        /// What is open, in words: "the string".
        what: String,
        /// Its byte.
        at: usize,
    },
    /// A closing bracket is in the wrong place.
    Wrong(Closed),
}

impl Statements {
    /// What is closed wrongly or not at all, if anything is. A string that is open hides the brackets behind
    /// it, and a wrong bracket those that are open.
    pub fn unbalanced(&self) -> Option<Unbalanced> {
        if let Some((what, at)) = self.unterminated() {
            let what = format!("the {what}");
            return Some(Unbalanced::Open { what, at });
        }
        if let Some(closed) = self.wrongly_closed() {
            return Some(Unbalanced::Wrong(closed));
        }
        let (bracket, at) = self.unclosed()?;
        let what = format!("`{bracket}`");
        Some(Unbalanced::Open { what, at })
    }

    /// The first closing bracket that does not close the bracket that is open there.
    pub fn wrongly_closed(&self) -> Option<Closed> {
        let mut open: Vec<(SyntaxKind, usize)> = Vec::new();
        for token in self.tokens() {
            let kind = token.kind();
            let at = usize::from(token.text_range().start()) - BEFORE.len();
            match closing(kind) {
                Some(closes) => open.push((closes, at)),
                None if is_closing(kind) => match open.pop() {
                    Some((expected, _)) if expected == kind => {}
                    other => {
                        let opened = other.map(|(_, at)| at);
                        return Some(Closed { at, opened });
                    }
                },
                None => {}
            }
        }
        None
    }

    /// The string or comment that is not closed, and its byte.
    pub fn unterminated(&self) -> Option<(&'static str, usize)> {
        let token = self.tokens().last()?;
        let range = token.text_range();
        if usize::from(range.end()) <= BEFORE.len() + self.length {
            return None;
        }
        let what = match token.kind() {
            SyntaxKind::COMMENT => "comment",
            SyntaxKind::STRING | SyntaxKind::BYTE_STRING | SyntaxKind::C_STRING => "string",
            // Blanks at the end go on in our own code.
            _ => return None,
        };
        Some((what, usize::from(range.start()) - BEFORE.len()))
    }
}

/// The bracket that closes an opening bracket.
fn closing(opening: SyntaxKind) -> Option<SyntaxKind> {
    match opening {
        SyntaxKind::L_PAREN => Some(SyntaxKind::R_PAREN),
        SyntaxKind::L_BRACK => Some(SyntaxKind::R_BRACK),
        SyntaxKind::L_CURLY => Some(SyntaxKind::R_CURLY),
        _ => None,
    }
}

fn is_closing(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_that_closes_nothing_is_found() {
        let closed = |code: &str| {
            let closed = Statements::parse(code).wrongly_closed()?;
            Some((closed.at, closed.opened))
        };
        assert_eq!(closed("}"), Some((0, None)));
        assert_eq!(closed("fn f() { 1 } }"), Some((13, None)));
        assert_eq!(closed("f(é]"), Some((4, Some(1))));
        for code in [
            "",
            "f({[]})",
            "(",
            "')'",
            "\")\"",
            "// )",
            "/* ) */ 1",
            "m!{ ) }".trim_end_matches(") }"),
        ] {
            assert_eq!(closed(code), None, "{code}");
        }
    }

    #[test]
    fn a_string_or_comment_that_is_open_is_found() {
        let open = |code: &str| Statements::parse(code).unterminated();
        assert_eq!(open("let s = \"abc"), Some(("string", 8)));
        assert_eq!(open("r#\"a\""), Some(("string", 0)));
        assert_eq!(open("1 /* /* */"), Some(("comment", 2)));
        for code in [
            "", "\"a\"", "// a", "/* a */", "'a'", "f(", "&'a str", "1\n", "// a\n",
        ] {
            assert_eq!(open(code), None, "{code}");
        }
    }
}
