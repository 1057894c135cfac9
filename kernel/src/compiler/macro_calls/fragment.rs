//! Fragments: the pieces of code that `$name:kind` takes.

use std::ops::Range;

use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, SyntaxNode};

use super::trees::{self, Fragment, Tree};

/// Kinds that other macros can take apart.
const OPEN: [&str; 5] = ["block", "ident", "lifetime", "tt", "vis"];

/// What a metavariable of this kind stands for.
pub(super) fn one_piece(kind: &str, trees: &[Tree]) -> Vec<Tree> {
    let is_one = matches!(trees, [Tree::Fragment(_)]);
    if is_one || OPEN.contains(&kind) {
        return trees.to_vec();
    }
    let (kind, trees) = (kind.to_owned(), trees.to_vec());
    vec![Tree::Fragment(Fragment { kind, trees })]
}

/// The number of trees that a fragment of this kind takes from the start of `trees`.
pub(super) fn length(kind: &str, trees: &[Tree]) -> Option<usize> {
    let first = trees.first();
    if let Some(of) = first.and_then(Tree::fragment)
        && (of.kind == kind || kind == "tt")
        && ["item", "literal", "tt"].contains(&kind)
    {
        return Some(1);
    }
    let one_if = |is: bool| is.then_some(1);
    match kind {
        "ident" => one_if(first?.word().is_some_and(|word| word != "_")),
        "lifetime" => one_if(first?.leaf()?.kind == SyntaxKind::LIFETIME_IDENT),
        "block" => one_if(first?.opens('{')),
        "tt" => Some(operator(trees).max(1)).filter(|_| first.is_some()),
        "literal" => {
            let sign = usize::from(first?.is("-"));
            let literal = trees.get(sign)?;
            let is_word = literal.is("true") || literal.is("false");
            (is_word || literal.leaf()?.kind.is_literal()).then_some(sign + 1)
        }
        "vis" => Some(visibility(trees)),
        "item" => item(trees),
        "ty" | "path" => of_type(trees),
        "meta" => until(trees, &[","], |_| false),
        "expr" | "expr_2021" => expression(trees),
        "stmt" => until(trees, EXPRESSION_ENDS, |_| false),
        "pat" | "pat_param" => {
            let ends: &[&str] = if kind == "pat" {
                &["=>", ",", "="]
            } else {
                &["=>", ",", "=", "|"]
            };
            until(trees, ends, |tree| tree.is("if") || tree.is("in"))
        }
        _ => None,
    }
}

const OPERATORS: [&str; 23] = [
    "..=", "...", "<<=", ">>=", "=>", "->", "::", "==", "!=", "<=", ">=", "&&", "||", "..", "+=",
    "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<<",
];

/// The number of tokens of the operator at the start of `trees`; 0 if there is none of several
/// characters.
fn operator(trees: &[Tree]) -> usize {
    let mut text = String::new();
    for tree in trees.iter().take(3) {
        let Some(leaf) = tree.leaf().filter(|leaf| leaf.kind.is_punct()) else {
            break;
        };
        text.push_str(&leaf.text);
        if !leaf.is_joint {
            break;
        }
    }
    let found = OPERATORS
        .iter()
        .find(|operator| text.starts_with(**operator));
    found.map_or(0, |operator| operator.len())
}

/// The number of trees before the first of the operators `ends`, at least one.
fn until(trees: &[Tree], ends: &[&str], is_end: impl Fn(&Tree) -> bool) -> Option<usize> {
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        let length = operator(&trees[at..]).max(1);
        let text: String = trees[at..at + length]
            .iter()
            .filter_map(|tree| Some(&*tree.leaf()?.text))
            .collect();
        if ends.contains(&&*text) || is_end(tree) {
            break;
        }
        at += length;
    }
    (at > 0).then_some(at)
}

const EXPRESSION_ENDS: &[&str] = &["=>", ",", ";"];

/// An expression may contain commas: `|a, b| a`, `f::<A, B>()`.
fn expression(trees: &[Tree]) -> Option<usize> {
    let first = until(trees, EXPRESSION_ENDS, |_| false)?;
    let mut length = first;
    while !is_whole("expr", &trees[..length]) {
        let Some(more) = trees
            .get(length + 1..)
            .filter(|_| trees[length].is(","))
            .and_then(|rest| until(rest, EXPRESSION_ENDS, |_| false))
        else {
            return Some(first);
        };
        length += 1 + more;
    }
    Some(length)
}

/// Whether `trees` are one piece of code of this kind, as the parser reads them.
pub(super) fn is_whole(kind: &str, trees: &[Tree]) -> bool {
    let mut text = String::new();
    trees::write(trees, &mut text);
    let text = text.trim_end();
    let is_one = |before: &str, after: &str, is: fn(SyntaxNode) -> bool| {
        let source = format!("{before}{text}{after}");
        let file = SourceFile::parse(&source, Edition::Edition2024);
        let whole = before.len()..before.len() + text.len();
        let mut nodes = file.tree().syntax().descendants();
        file.errors().is_empty()
            && nodes.any(|node| Range::<usize>::from(node.text_range()) == whole && is(node))
    };
    match kind {
        "expr" | "expr_2021" | "literal" => is_one("const X: u8 = ", ";", |node| {
            ast::Expr::can_cast(node.kind())
        }),
        "ty" | "path" => is_one("type X = ", ";", |node| ast::Type::can_cast(node.kind())),
        "item" => is_one("", "", |node| ast::Item::can_cast(node.kind())),
        "pat" | "pat_param" => is_one("const X: u8 = match 1 { ", " => 2 };", |node| {
            ast::Pat::can_cast(node.kind())
        }),
        "meta" => is_one("#[", "] struct X;", |node| ast::Meta::can_cast(node.kind())),
        _ => false,
    }
}

fn visibility(trees: &[Tree]) -> usize {
    if !trees.first().is_some_and(|tree| tree.is("pub")) {
        return 0;
    }
    let scope = trees.get(1).and_then(Tree::group);
    let words = ["crate", "super", "self", "in"];
    let is_scope = scope.is_some_and(|scope| {
        let first = scope.trees.first().and_then(Tree::word);
        scope.open == '(' && first.is_some_and(|first| words.contains(&first))
    });
    1 + usize::from(is_scope)
}

/// An item ends behind its braces or its semicolon.
fn item(trees: &[Tree]) -> Option<usize> {
    let ends_in_semicolon = ["use", "const", "static", "type"];
    let keyword = trees.iter().find_map(|tree| {
        let word = tree.word()?;
        (word != "pub").then_some(word)
    })?;
    let braces = !ends_in_semicolon.contains(&keyword) || trees.iter().any(|tree| tree.is("fn"));
    let end = trees
        .iter()
        .position(|tree| tree.is(";") || (braces && tree.opens('{')))?;
    Some(end + 1)
}

fn of_type(trees: &[Tree]) -> Option<usize> {
    const ENDS: [&str; 7] = [",", ":", "=", ";", "|", "as", "where"];
    let mut depth = 0_usize;
    let mut at = 0;
    // Whether a type may end here.
    let mut is_complete = false;
    while let Some(tree) = trees.get(at) {
        let length = match operator(&trees[at..]) {
            2 if trees[at].is(":") || (trees[at].is("-") && trees[at + 1].is(">")) => 2,
            2 if trees[at].is("=") => break,
            _ => 1,
        };
        let is_end = length == 1 && ENDS.iter().any(|end| tree.is(end));
        let is_behind = is_complete && (tree.opens('[') || tree.opens('{'));
        if depth == 0 && (is_end || is_behind || tree.is(">")) {
            break;
        }
        if tree.is("<") {
            depth += 1;
        } else if tree.is(">") && length == 1 {
            depth -= 1;
        }
        let is_prefix = ["&", "*", "mut", "const", "dyn", "impl", "+", "<"];
        let is_lifetime = tree
            .leaf()
            .is_some_and(|leaf| leaf.kind == SyntaxKind::LIFETIME_IDENT);
        is_complete = length == 1 && !is_lifetime && !is_prefix.iter().any(|it| tree.is(it));
        at += length;
    }
    (at > 0).then_some(at)
}
