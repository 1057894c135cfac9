//! Rust in the colours of an editor.
//!
//! The colours are those of JupyterLab's editor. Other viewers get colours that are legible on
//! white and on black.

use std::mem;

use maud::{Markup, html};
use ra_ap_syntax::SyntaxKind::{
    ATTR, BANG, BYTE, BYTE_STRING, C_STRING, CHAR, COMMENT, EQ, FLOAT_NUMBER, FN, IDENT,
    INT_NUMBER, LIFETIME_IDENT, NAME, STRING,
};
use ra_ap_syntax::ast::AstNode;
use ra_ap_syntax::{NodeOrToken, SourceFile, SyntaxToken};

use super::card;
use crate::cell::syntax::EDITION;

/// The highlighting of a piece of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Keyword,
    Comment,
    Text,
    Number,
    Definition,
    Type,
    Lifetime,
    /// Macros and attributes.
    Meta,
}

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// Highlights consecutive lines. They are parsed as one text, as strings and comments may span
/// lines.
pub(super) fn lines<'a>(source: impl Iterator<Item = &'a str>) -> Vec<Markup> {
    let source = source.collect::<Vec<_>>().join("\n");
    let file = SourceFile::parse(&source, EDITION).tree();
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let tokens = file.syntax().descendants_with_tokens();
    for token in tokens.filter_map(NodeOrToken::into_token) {
        let class = class(&token);
        for (index, text) in token.text().split('\n').enumerate() {
            if index > 0 {
                lines.push(markup(&mem::take(&mut line)));
            }
            append(&mut line, class, text);
        }
    }
    lines.push(markup(&line));
    lines
}

/// Joins adjacent pieces of one class, which keeps the HTML small.
fn append(line: &mut Vec<(Class, String)>, class: Class, text: &str) {
    match line.last_mut() {
        Some((last, piece)) if *last == class => piece.push_str(text),
        _ if text.is_empty() => {}
        _ => line.push((class, text.to_owned())),
    }
}

fn markup(line: &[(Class, String)]) -> Markup {
    html! {
        @for (class, text) in line {
            @match color(*class) {
                Some(color) => span style=(card::colored("color", color)) { (text) },
                None => (text),
            }
        }
    }
}

fn color(class: Class) -> Option<&'static str> {
    Some(match class {
        Class::Plain => return None,
        Class::Keyword => "var(--jp-mirror-editor-keyword-color, #a35fd6)",
        Class::Comment => "var(--jp-mirror-editor-comment-color, #7a7f87)",
        Class::Text => "var(--jp-mirror-editor-string-color, #b5651d)",
        Class::Number => "var(--jp-mirror-editor-number-color, #2e8b57)",
        Class::Definition => "var(--jp-mirror-editor-def-color, #2b7fd4)",
        Class::Type => "var(--jp-mirror-editor-variable-3-color, #178a94)",
        Class::Lifetime => "var(--jp-mirror-editor-atom-color, #c2571a)",
        Class::Meta => "var(--jp-mirror-editor-meta-color, #b8547a)",
    })
}

fn class(token: &SyntaxToken) -> Class {
    let kind = token.kind();
    if kind == COMMENT {
        Class::Comment
    } else if token.parent_ancestors().any(|node| node.kind() == ATTR) {
        Class::Meta
    } else {
        match kind {
            STRING | BYTE_STRING | C_STRING | CHAR | BYTE => Class::Text,
            INT_NUMBER | FLOAT_NUMBER => Class::Number,
            LIFETIME_IDENT => Class::Lifetime,
            BANG if token.prev_token().is_some_and(|name| is_macro(&name)) => Class::Meta,
            IDENT if is_macro(token) => Class::Meta,
            IDENT if is_function(token) => Class::Definition,
            IDENT if is_type(token.text()) => Class::Type,
            _ if kind.is_keyword(EDITION) => Class::Keyword,
            _ => Class::Plain,
        }
    }
}

/// Whether the `!` of a macro follows a name. Inside a macro call, the `!=` of `a != b` is two
/// tokens.
fn is_macro(name: &SyntaxToken) -> bool {
    let bang = name.next_token().filter(|token| token.kind() == BANG);
    let behind = bang.and_then(|bang| bang.next_token());
    name.kind() == IDENT && behind.is_some_and(|token| token.kind() != EQ)
}

fn is_function(name: &SyntaxToken) -> bool {
    let name = name.parent().filter(|node| node.kind() == NAME);
    let item = name.and_then(|name| name.parent());
    item.is_some_and(|item| item.kind() == FN)
}

/// Guesses from the spelling, as nothing resolves names: `Vec`, `T`, `u8`, but not `MAX`.
fn is_type(name: &str) -> bool {
    let upper = name.starts_with(char::is_uppercase);
    let constant = name.len() > 1 && !name.contains(char::is_lowercase);
    PRIMITIVES.contains(&name) || (upper && !constant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highlight(source: &str) -> Vec<String> {
        lines(source.lines())
            .into_iter()
            .map(maud::PreEscaped::into_string)
            .collect()
    }

    /// The HTML without its elements, as a reader sees it.
    fn seen(html: &str) -> String {
        let mut text = String::new();
        let mut inside = false;
        for character in html.chars() {
            match character {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => text.push(character),
                _ => {}
            }
        }
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }

    fn colored(html: &str, text: &str) -> bool {
        html.contains(&format!(">{text}</span>"))
    }

    #[test]
    fn every_line_is_there_as_written() {
        let source =
            "fn f<'a>(s: &'a str) -> u8 {\n\n\tg(\"é\", r#\"\n  <b>\n\"#); /* a\n b */\n\t}";
        let html = highlight(source);
        let lines: Vec<_> = source.lines().collect();
        assert_eq!(
            html.iter().map(|line| seen(line)).collect::<Vec<_>>(),
            lines
        );
    }

    #[test]
    fn a_string_and_a_comment_of_several_lines_keep_their_colour() {
        let html = highlight("let s = \"a\nlet b\n\"; /* fn\nfn */ fn");
        assert!(colored(&html[1], "let b"));
        assert!(html[1].contains("string-color"));
        assert!(html[3].contains("comment-color"));
        assert!(colored(&html[3], "fn"));
    }

    #[test]
    fn what_a_name_is_can_be_seen() {
        let html = highlight("fn f(x: T) -> Vec<u8> { assert!(x != MAX, 1.5, 'c'); }").concat();
        for text in ["fn", "f", "T", "Vec", "u8", "assert!", "1.5", "'c'"] {
            assert!(colored(&html, text), "{text} in {html}");
        }
        for text in ["x", "MAX"] {
            assert!(!colored(&html, text), "{text} in {html}");
        }
        assert!(html.contains("def-color, #2b7fd4)\">f</span>"));
    }

    #[test]
    fn a_method_without_its_impl_is_no_error() {
        let html = highlight("#[inline]\npub fn area(&self) -> f64 {\n    self.w * self.h\n}");
        assert!(colored(&html[0], "#[inline]"));
        assert!(colored(&html[1], "area"));
        assert!(colored(&html[2], "self"));
    }

    #[test]
    fn source_is_escaped() {
        let html = highlight("\"<script>\" // <img src=x onerror=alert(1)>").concat();
        assert!(!html.contains("<script") && !html.contains("<img"));
    }

    #[test]
    fn what_is_no_rust_is_shown_all_the_same() {
        for source in ["", "}}} )( \"unterminated", "r#\"", "\u{feff}fn", "'", "/*"] {
            let html = highlight(source).concat();
            assert_eq!(seen(&html), source);
        }
    }
}
