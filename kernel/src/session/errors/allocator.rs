//! The error of a cell with an allocator of its own.
//!
//! Values pass from cell to cell, and each cell is a library of its own, with the standard library as
//! another. If one of them had another allocator, it would free blocks of the others.

use std::ops::Range;

use annotate_snippets::Level;
use memit_magics::split::blank_magics;
use ra_ap_syntax::{
    AstNode as _, Edition, NodeOrToken, SourceFile, SyntaxElement, SyntaxKind, SyntaxToken,
};

use crate::compiler::allocator::NAME;

use super::cell_error::CellError;
use super::compiler::of_message;
use super::diagnostics::Mark;
use super::message::Message;

/// The attribute that makes a static the allocator.
const ATTRIBUTE: &str = "global_allocator";

/// What rustc says if a cell, or a crate that it uses, has another allocator than the session.
const CONFLICT: &str = "conflicts with global allocator in: ";

/// The error of a cell that makes one of its statics the allocator. The compiler need not see the cell.
pub(crate) fn error(code: &str) -> Option<CellError> {
    let mark = Mark {
        span: attribute(&blank_magics(code))?,
        label: String::new(),
        primary: true,
    };
    Some(of_message(&message(None).at(code, vec![mark])))
}

/// The message in place of rustc's `title`, if that is about an allocator which no cell names.
pub(super) fn in_place_of(title: &str) -> Option<Message> {
    let (definer, other) = title.split_once(CONFLICT)?;
    let names = [definer.rsplit_once(" in ")?.1.trim(), other.trim()];
    let is_a_crate = |name: &&str| !["this crate", NAME].contains(name);
    Some(message(names.into_iter().find(is_a_crate)))
}

/// The message. `of` is the dependency that has the allocator, if it is not the cell.
fn message(of: Option<&str>) -> Message {
    let (title, help) = match of {
        Some(name) => (
            format!("the dependency `{name}` sets an allocator, which a session cannot use"),
            format!(
                "use `{name}` without the feature that sets its `#[{ATTRIBUTE}]`, or in a program"
            ),
        ),
        None => (
            "a session has one allocator, which all of its cells share".to_owned(),
            format!(
                "leave out `#[{ATTRIBUTE}]`: the static can be called all the same, \
                 `unsafe {{ NAME.alloc(layout) }}`, and `%memit` counts allocations without it"
            ),
        ),
    };
    Message {
        title,
        notes: vec![
            (
                Level::NOTE,
                "memory that one cell allocates is freed by another, and by the standard library"
                    .to_owned(),
            ),
            (Level::HELP, help),
            (
                Level::HELP,
                "`memit mprof run` measures a program with an allocator of its own".to_owned(),
            ),
        ],
        ..Message::default()
    }
}

/// The place of the first attribute, also in the definition or the call of a macro.
fn attribute(code: &str) -> Option<Range<usize>> {
    if !code.contains(ATTRIBUTE) {
        return None;
    }
    let file = SourceFile::parse(code, Edition::Edition2024).tree();
    let tokens = file.syntax().descendants_with_tokens();
    let mut tokens = tokens.filter_map(NodeOrToken::into_token);
    let token = tokens.find(|token| token.text() == ATTRIBUTE && is_in_attribute(token))?;
    let range = token.text_range();
    Some(range.start().into()..range.end().into())
}

/// Whether a name is in an attribute: by itself, as a path, or in a `cfg_attr`. In a macro, an attribute is
/// a tree of tokens behind a `#`.
fn is_in_attribute(token: &SyntaxToken) -> bool {
    token.parent_ancestors().any(|node| {
        let is_trivia = |before: &SyntaxElement| before.kind().is_trivia();
        let mut before = std::iter::successors(node.prev_sibling_or_token(), |element| {
            element.prev_sibling_or_token()
        });
        let mut is_behind_hash = || {
            let before = before.find(|element| !is_trivia(element));
            before.is_some_and(|before| before.kind() == SyntaxKind::POUND)
        };
        match node.kind() {
            SyntaxKind::ATTR => true,
            SyntaxKind::TOKEN_TREE => is_behind_hash(),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_is_found_wherever_it_stands() {
        for code in [
            "#[global_allocator]\nstatic A: X = X;",
            "mod inner { #[ global_allocator ] pub static A: X = X; }",
            "#[cfg_attr(all(unix, not(test)), global_allocator)] static A: X = X;",
            "#[std::prelude::v1::global_allocator] static A: X = X;",
            "macro_rules! set { ($a:ty) => { #[global_allocator] static A: $a = <$a>::new(); } }",
            ":dep mimalloc = \"0.1\"\n%memit 1\nfn f() { #[global_allocator] static A: X = X; }",
            "set! { #[doc(hidden)] #[global_allocator] static A: X = X; }",
        ] {
            let found = attribute(code).map(|span| &code[span]);
            assert_eq!(found, Some(ATTRIBUTE), "{code}");
        }
        for code in [
            "// #[global_allocator]\n1",
            "\"#[global_allocator]\"",
            "/// A static with `#[global_allocator]`.\nstruct A;",
            "let global_allocator = [1]; f(global_allocator, [global_allocator])",
            "#[inline] fn global_allocator() { vec![global_allocator]; f!(global_allocator) }",
        ] {
            assert_eq!(attribute(code), None, "{code}");
        }
    }

    #[test]
    fn the_error_says_what_to_write() {
        let code = "#[global_allocator]\nstatic A: MiMalloc = MiMalloc;";
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        let error = error(code).unwrap();
        insta::assert_snapshot!(plain(&error.traceback.join("\n")), @"
        error: a session has one allocator, which all of its cells share
         --> cell:1:3
          |
        1 | #[global_allocator]
          |   ^^^^^^^^^^^^^^^^
          |
          = note: memory that one cell allocates is freed by another, and by the standard library
          = help: leave out `#[global_allocator]`: the static can be called all the same, `unsafe { NAME.alloc(layout) }`, and `%memit` counts allocations without it
          = help: `memit mprof run` measures a program with an allocator of its own
        ");
        let title =
            "the `#[global_allocator]` in this crate conflicts with global allocator in: heaped";
        let of_crate = in_place_of(title).unwrap();
        insta::assert_snapshot!(plain(&of_crate.render()), @"
        error: the dependency `heaped` sets an allocator, which a session cannot use
         |
         = note: memory that one cell allocates is freed by another, and by the standard library
         = help: use `heaped` without the feature that sets its `#[global_allocator]`, or in a program
         = help: `memit mprof run` measures a program with an allocator of its own
        ");
        assert!(in_place_of("mismatched types").is_none());
    }
}
