//! Cells that name nothing of the session.
//!
//! Such a cell means the same without the items of the session: names are the only way to items,
//! apart from traits in scope, which give methods to other types. An import of everything may
//! define any name, and so may the call of a macro between items.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use memit_magics::cell::syntax::words;
use ra_ap_syntax::ast::AstNode as _;
use ra_ap_syntax::{Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxToken};
use serde::{Deserialize, Serialize};

/// The names of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Names {
    /// The names that its items define or import, and others.
    pub(super) defined: BTreeSet<String>,
    /// Whether an item may define names that are not among these.
    pub(super) are_open: bool,
    /// Whether traits of the session may be in scope.
    pub(super) has_traits: bool,
}

/// Where the generated code of a measurement begins that imports its own names, and where it ends.
const PLAN: (&str, &str) = ("{ use ::memit_session::abi::plan::*;", " }, &mut ||");

/// How names in generated code start, and the others.
const GENERATED: [&str; 5] = ["memit_", "evcxr_", "run_user_code_", "value", "vars_ok"];

/// The methods in generated code. No trait takes their names from the types that have them.
const METHODS: [&str; 7] = [
    "cast",
    "check_variable_of",
    "is_err",
    "is_null",
    "is_some",
    "put_unnamed",
    "take_variable_of",
];

/// Whether the function of a cell names nothing of the session, and none of its dependencies.
pub(super) fn is_closed(cell: &str, names: &Names, crates: &BTreeMap<String, u64>) -> bool {
    let cell = without_plans(cell);
    let file = SourceFile::parse(&cell, Edition::Edition2024);
    let tokens: Vec<SyntaxToken> = file
        .tree()
        .syntax()
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .filter(|token| !token.kind().is_trivia())
        .collect();
    let text = |at: usize| tokens.get(at).map_or("", SyntaxToken::text);
    let locals = locals(&tokens);
    let is_foreign = |word: &str| !names.defined.contains(word) && !crates.contains_key(word);
    let is_generated = |name: &str| GENERATED.iter().any(|start| name.starts_with(start));
    let is_closed = |(at, token): (usize, &SyntaxToken)| match (token.kind(), token.text()) {
        (SyntaxKind::IDENT, name) if !is_foreign(name) => false,
        (SyntaxKind::IDENT, name) => match (at.checked_sub(1).map_or("", text), text(at + 1)) {
            // A part of a path, whose first part counts.
            ("::" | ":", _) if is_path(&tokens[..at]) => true,
            (".", "(" | "::" | ":") => !names.has_traits || METHODS.contains(&name),
            (".", _) => true,
            // A function of C may be one of the session.
            ("fn", _) => is_generated(name),
            _ => !names.are_open || is_generated(name) || locals.contains(name),
        },
        // A string can contain names: those that a format captures.
        (SyntaxKind::STRING, text) => words(text).into_iter().all(is_foreign),
        _ => true,
    };
    tokens.iter().enumerate().all(is_closed)
}

/// Whether the tokens end in `::`, which is one token, or two in the call of a macro.
fn is_path(before: &[SyntaxToken]) -> bool {
    let [.., colon, other] = before else {
        return false;
    };
    other.text() == "::" || (colon.text() == ":" && other.text() == ":")
}

/// The names that the cell binds, as far as that is evident.
fn locals(tokens: &[SyntaxToken]) -> HashSet<&str> {
    let mut locals = HashSet::new();
    let mut is_in_list = false;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |before| tokens[before].text());
        if token.kind() == SyntaxKind::IDENT {
            let is_bound = is_in_list || matches!(before, "let" | "mut" | "for" | "|");
            let is_lower = token
                .text()
                .starts_with(|c: char| c.is_lowercase() || c == '_');
            if is_bound && is_lower {
                locals.insert(token.text());
            }
            continue;
        }
        // The names in front of `=>` in a call of our macro.
        is_in_list = match token.text() {
            "(" => at >= 2 && tokens[at - 2].text() == crate::compiler::variables::UNSEEN,
            "=" | "=>" => false,
            _ => is_in_list,
        };
    }
    locals
}

fn without_plans(cell: &str) -> String {
    let mut rest = cell;
    let mut without = String::new();
    while let Some((before, behind)) = rest.split_once(PLAN.0) {
        let Some(end) = behind.find(PLAN.1) else {
            break;
        };
        without.push_str(before);
        without.push_str("{()");
        rest = &behind[end..];
    }
    without + rest
}

/// The edits that leave items out. No line moves.
pub(super) fn without(source: &str, items: &[Range<usize>]) -> Vec<super::Edit> {
    let blank = |range: &Range<usize>| {
        let lines = source[range.clone()].matches('\n').count();
        (range.clone(), "\n".repeat(lines))
    };
    items.iter().map(blank).collect()
}
