//! Whether a piece of code is complete: whether a statement may follow, and whether it can run.

use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{SyntaxKind, SyntaxToken};

use super::{BEFORE, Statements};

/// Whether a piece of code can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// The code can run.
    Complete,
    /// The user must type more.
    Incomplete {
        /// The number of open brackets of any kind.
        depth: usize,
    },
    /// No continuation can make the code valid.
    Invalid,
}

impl Statements {
    /// Whether a new statement may begin behind the code: the last statement has ended, and no
    /// bracket, string or comment is open.
    pub fn end_is_boundary(&self) -> bool {
        let mut depth = 0usize;
        let mut last = None;
        for token in self.tokens() {
            match token.kind() {
                SyntaxKind::COMMENT if is_open_comment(&token) => return false,
                SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => depth += 1,
                SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => {
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            if !token.kind().is_trivia() {
                last = Some(token.kind());
            }
        }
        depth == 0
            && match last {
                None | Some(SyntaxKind::SEMICOLON) => true,
                Some(SyntaxKind::R_CURLY) => self.last_statement_needs_no_semicolon(),
                // An attribute of the whole cell: `#![feature(…)]`.
                Some(SyntaxKind::R_BRACK) => self
                    .statements()
                    .last()
                    .is_some_and(|node| ast::Attr::can_cast(node.kind())),
                _ => false,
            }
    }

    fn last_statement_needs_no_semicolon(&self) -> bool {
        let Some(last) = self.statements().last() else {
            return false;
        };
        let expression = match ast::ExprStmt::cast(last.clone()) {
            Some(statement) => statement.expr(),
            None => ast::Expr::cast(last.clone()),
        };
        match expression {
            None => ast::Item::can_cast(last.kind()),
            Some(ast::Expr::MacroExpr(_)) => true,
            Some(expression) => expression.is_block_like(),
        }
    }

    /// The text of the last token that is neither blank nor comment.
    pub fn last_token(&self) -> Option<String> {
        let tokens = self.tokens().filter(|token| !token.kind().is_trivia());
        tokens.last().map(|token| token.text().to_owned())
    }

    /// Whether the code ends within a `//` comment.
    pub fn ends_in_comment(&self) -> bool {
        let last = self.tokens().last();
        last.is_some_and(|last| last.kind() == SyntaxKind::COMMENT && last.text().starts_with("//"))
    }

    /// The byte of the first `;` outside of brackets.
    pub fn first_semicolon(&self) -> Option<usize> {
        let mut depth = 0usize;
        for token in self.tokens() {
            match token.kind() {
                SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => depth += 1,
                SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => {
                    depth = depth.saturating_sub(1);
                }
                SyntaxKind::SEMICOLON if depth == 0 => {
                    return Some(usize::from(token.text_range().start()) - BEFORE.len());
                }
                _ => {}
            }
        }
        None
    }

    /// The innermost bracket that is open at the end, and its byte.
    pub fn unclosed(&self) -> Option<(char, usize)> {
        let mut open = Vec::new();
        for token in self.tokens() {
            match token.kind() {
                SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => {
                    let at = usize::from(token.text_range().start()) - BEFORE.len();
                    open.extend(token.text().chars().next().map(|bracket| (bracket, at)));
                }
                SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.pop()
    }

    /// Whether the code can run, or needs more input.
    pub fn completeness(&self) -> Completeness {
        let mut open = Vec::new();
        let mut last = None;
        for token in self.tokens() {
            let kind = token.kind();
            let closes = matches!(
                kind,
                SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY
            );
            if closes && open.pop() != Some(kind) {
                return Completeness::Invalid;
            }
            match kind {
                SyntaxKind::L_PAREN => open.push(SyntaxKind::R_PAREN),
                SyntaxKind::L_BRACK => open.push(SyntaxKind::R_BRACK),
                SyntaxKind::L_CURLY => open.push(SyntaxKind::R_CURLY),
                SyntaxKind::COMMENT if is_open_comment(&token) => {
                    return Completeness::Incomplete { depth: open.len() };
                }
                _ => {}
            }
            if !kind.is_trivia() {
                last = Some(token);
            }
        }
        let Some(last) = last else {
            return Completeness::Complete;
        };
        let end = usize::from(last.text_range().end()) - BEFORE.len();
        let depth = open.len();
        // An open string swallows the rest, including our own closing brace.
        let is_open_string = end > self.length;
        let first_error = self.errors.iter().map(|error| error.start).min();
        match first_error {
            _ if is_open_string => Completeness::Incomplete { depth },
            None if depth == 0 => Completeness::Complete,
            Some(error) if error < end && depth == 0 => Completeness::Invalid,
            _ => Completeness::Incomplete { depth },
        }
    }
}

fn is_open_comment(token: &SyntaxToken) -> bool {
    let text = token.text();
    text.starts_with("/*") && {
        let opened = text.matches("/*").count();
        opened > text.matches("*/").count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boundary(code: &str) -> bool {
        Statements::parse(code).end_is_boundary()
    }

    #[test]
    fn a_statement_boundary_is_where_rust_has_one() {
        for code in [
            "",
            "\n// comment\n",
            "let x = 1;\n",
            "fn f() {}\n",
            "if a { b() }\n",
            "for i in 0..3 { f(i); } // done\n",
            "println!{\"x\"}\n",
            "struct S;\n",
            "#![allow(dead_code)]\n",
            "let s = \"%memit x\";\n",
        ] {
            assert!(boundary(code), "{code:?}");
        }
        for code in [
            "let x = total\n",
            "let x = S { a: 1 }\n",
            "let y = match x { _ => 1 }\n",
            "f(\n",
            "fn f() {\n",
            "let s = \"\n",
            "let s = r#\"\n;",
            "/* comment\n",
            "/* a /* b */ \n",
            "x = if a { 1 } else { 2 }\n",
        ] {
            assert!(!boundary(code), "{code:?}");
        }
    }

    #[test]
    fn completeness_follows_the_grammar() {
        use Completeness::{Complete, Incomplete, Invalid};
        for (code, expected) in [
            ("", Complete),
            ("1 + 1", Complete),
            ("let x = 3;", Complete),
            ("fn f() { 1 }", Complete),
            ("fn f() {", Incomplete { depth: 1 }),
            ("let v = vec![(1,", Incomplete { depth: 2 }),
            ("let x =", Incomplete { depth: 0 }),
            ("a +", Incomplete { depth: 0 }),
            ("let a = std::", Incomplete { depth: 0 }),
            ("#[derive(Debug)]", Incomplete { depth: 0 }),
            ("#![allow(dead_code)]", Complete),
            ("let s = \"abc", Incomplete { depth: 0 }),
            ("/* not yet", Incomplete { depth: 0 }),
            ("foo)", Invalid),
            ("f(]", Invalid),
            ("let x 7 = 3;", Invalid),
        ] {
            assert_eq!(Statements::parse(code).completeness(), expected, "{code:?}");
        }
    }
}
