//! Makes macros known before they are used.
//!
//! A macro is known below its definition only, and evcxr writes the items of a session in no order.
//! The compiler therefore copies the macros to the top, into the line of the first attribute, so
//! that no line moves.

use ra_ap_syntax::ast::{self, AstNode, HasAttrs};
use ra_ap_syntax::{Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxNode};

use super::variables::UNSEEN;

/// The source with copies of its macros at the top; `None` if it has no macros.
pub(super) fn first(source: &str) -> Option<String> {
    // Only the cell calls our macro, below all items.
    let ours = format!("macro_rules! {UNSEEN} ");
    let mut macros = source.match_indices("macro_rules");
    if macros.all(|(at, _)| source[at..].starts_with(&ours)) {
        return None;
    }
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let items = file.syntax().children();
    let copies: String = items
        .filter_map(ast::MacroRules::cast)
        .filter_map(|of| copy(&of))
        .collect();
    if copies.is_empty() {
        return None;
    }
    let attributes = file
        .attrs()
        .filter(|attribute| attribute.excl_token().is_some());
    let start = attributes
        .last()
        .map_or(0, |last| last.syntax().text_range().end().into());
    Some([&source[..start], &copies, &source[start..]].concat())
}

/// The macro in one line; `None` if one of its strings has a line break.
fn copy(of: &ast::MacroRules) -> Option<String> {
    let mut text = String::from(" #[allow(unused_macros)] ");
    write(of.syntax(), &mut text)?;
    Some(text)
}

fn write(node: &SyntaxNode, text: &mut String) -> Option<()> {
    for child in node.children_with_tokens() {
        match child {
            NodeOrToken::Node(child) => {
                if child.kind() != SyntaxKind::ATTR {
                    write(&child, text)?;
                }
            }
            NodeOrToken::Token(token) if token.kind().is_trivia() => text.push(' '),
            NodeOrToken::Token(token) if token.text().contains('\n') => return None,
            NodeOrToken::Token(token) => text.push_str(token.text()),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_are_copied_into_the_line_of_the_attributes() {
        let source = "#![allow(x)]\n#![feature(y)]\nfn f() { m!() }\n/// Doc.\n#[macro_export]\n\
            macro_rules! m {\n    // One.\n    () => { 1 };\n}\n";
        let ordered = first(source).unwrap();
        let (before, after) = source.split_at(source.find("\nfn f").unwrap());
        let copy = ordered
            .strip_prefix(before)
            .unwrap()
            .strip_suffix(after)
            .unwrap();
        let words: Vec<_> = copy.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "#[allow(unused_macros)] macro_rules! m { () => { 1 }; }"
        );
        assert!(!copy.contains('\n'));
    }

    #[test]
    fn a_source_without_macros_of_one_line_stays_as_it_is() {
        assert_eq!(first("fn f() {}"), None);
        assert_eq!(first("macro_rules! m { () => { \"a\nb\" } }"), None);
        assert_eq!(first("fn f() { macro_rules! m { () => {} } }"), None);
        let ours = "macro_rules! memit_unseen { () => {} }\n";
        assert_eq!(first(ours), None);
        assert!(first(&format!("{ours}macro_rules! m {{ () => {{}} }}")).is_some());
    }
}
