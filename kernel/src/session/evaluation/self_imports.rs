//! Spells out imports with `self`.
//!
//! evcxr stores each name of a `use` apart. It reads `use a::{self as b}` as `use a`, and lets
//! `use a::{self, c}` take the place of the module `a`.

use memit_magics::cell;
use memit_magics::cell::syntax::Statements;
use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode};

use super::rewriting::{Rewriting, Rewritten};

/// The source with `use a as b;` in the place of `use a::{self as b};`, and without `self` in
/// `use a::{self, c};`.
pub(super) fn spelt_out(source: &str) -> Rewritten {
    let (commands, rust) = cell::split_commands(source);
    let mut rewriting = Rewriting::new(source);
    if rust.contains("use ") && rust.contains("self") {
        let statements = Statements::parse(rust);
        let byte = |offset| Statements::byte(offset) + commands.len();
        for item in statements.statements().filter_map(ast::Use::cast) {
            let start = byte(item.syntax().text_range().start());
            let trees = item.syntax().descendants().filter_map(ast::UseTree::cast);
            for tree in trees.filter(is_self) {
                let path = path_to(&tree);
                let name = tree.rename().map(|name| name.syntax().text().to_string());
                if name.is_none() && path.contains("::") {
                    continue;
                }
                let range = with_comma(tree.syntax());
                rewriting.leave_out(byte(range.start())..byte(range.end()));
                if let Some(name) = name {
                    let indent = rewriting.indent(start);
                    rewriting.insert(start, format!("use {path} {name};\n{indent}"));
                }
            }
        }
    }
    rewriting.done()
}

/// Whether `tree` is `self` in a list.
fn is_self(tree: &ast::UseTree) -> bool {
    let path = tree.path();
    let is_self = path.is_some_and(|path| path.syntax().text() == "self");
    let is_in_list = || {
        tree.syntax()
            .parent()
            .is_some_and(|it| ast::UseTreeList::can_cast(it.kind()))
    };
    is_self && is_in_list()
}

/// The path of the lists around `tree`.
fn path_to(tree: &ast::UseTree) -> String {
    let around = tree
        .syntax()
        .ancestors()
        .skip(1)
        .filter_map(ast::UseTree::cast);
    let mut paths: Vec<_> = around
        .filter_map(|tree| Some(tree.path()?.syntax().text().to_string()))
        .collect();
    paths.reverse();
    paths.join("::")
}

/// The range of `tree` and of the comma that separates the tree from others.
fn with_comma(tree: &SyntaxNode) -> ra_ap_syntax::TextRange {
    let is_comma = |next: Option<NodeOrToken<SyntaxNode, _>>| {
        let token: ra_ap_syntax::SyntaxToken = next?.into_token()?;
        (token.kind() == SyntaxKind::COMMA).then(|| token.text_range())
    };
    let range = tree.text_range();
    let next = is_comma(tree.next_sibling_or_token());
    let before = || is_comma(tree.prev_sibling_or_token()?.prev_sibling_or_token());
    next.or_else(|| is_comma(tree.prev_sibling_or_token()))
        .or_else(before)
        .map_or(range, |comma| range.cover(comma))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_self_are_spelt_out() {
        for (source, expected) in [
            (
                "use a::{self as b, c};",
                "use a as b;\nuse a::{           c};",
            ),
            ("use a::{self, c};", "use a::{      c};"),
            ("use a::{c, self};", "use a::{c      };"),
            ("use a::{self};", "use a::{    };"),
            ("use a::b::{self, c};", "use a::b::{self, c};"),
            (
                "let x = 1; use a::{d::{c, self as e}};",
                "let x = 1; use a::d as e;\n           use a::{d::{c           }};",
            ),
            ("fn f(self) {}", "fn f(self) {}"),
        ] {
            assert_eq!(spelt_out(source).source, expected);
        }
    }
}
