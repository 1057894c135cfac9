//! The tokens of a definition that matter to its meaning.

use std::hash::{DefaultHasher, Hash, Hasher};

use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};

/// Attributes that change neither what a type is made of nor which definitions exist. The last row
/// is read by derive macros.
const NEUTRAL: &[&str] = &[
    "allow",
    "cold",
    "deny",
    "deprecated",
    "derive",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "non_exhaustive",
    "profile",
    "rustfmt",
    "track_caller",
    "warn",
    "clippy",
    "default",
    "error",
    "from",
    "serde",
    "source",
];

/// The tokens of `node` without white space, comments, neutral attributes and trailing commas, each
/// followed by a blank.
pub(crate) fn text(node: &SyntaxNode) -> String {
    let mut text = String::new();
    for token in tokens(node) {
        text.push_str(token.text());
        text.push(' ');
    }
    text
}

/// A number for each list of tokens.
pub(crate) fn hash(tokens: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    tokens.hash(&mut hasher);
    hasher.finish()
}

fn tokens(node: &SyntaxNode) -> Vec<SyntaxToken> {
    let mut tokens = Vec::new();
    collect(node, &mut tokens);
    tokens
}

fn collect(node: &SyntaxNode, tokens: &mut Vec<SyntaxToken>) {
    for child in node.children_with_tokens() {
        match child {
            NodeOrToken::Token(token) => {
                if !token.kind().is_trivia() && !is_trailing_comma(&token) {
                    tokens.push(token);
                }
            }
            NodeOrToken::Node(child) => {
                if !is_neutral(&child) {
                    collect(&child, tokens);
                }
            }
        }
    }
}

/// Whether `node` is a neutral attribute.
pub(super) fn is_neutral(node: &SyntaxNode) -> bool {
    let Some(attribute) = ast::Attr::cast(node.clone()) else {
        return false;
    };
    let first = attribute
        .syntax()
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .find(|token| token.kind() == SyntaxKind::IDENT);
    first.is_some_and(|name| NEUTRAL.contains(&name.text()))
}

fn is_trailing_comma(token: &SyntaxToken) -> bool {
    let lists = [SyntaxKind::RECORD_FIELD_LIST, SyntaxKind::VARIANT_LIST];
    let is_in_list = || {
        token
            .parent()
            .is_some_and(|list| lists.contains(&list.kind()))
    };
    token.kind() == SyntaxKind::COMMA && is_in_list() && {
        let mut rest = std::iter::successors(token.next_token(), SyntaxToken::next_token);
        rest.find(|next| !next.kind().is_trivia())
            .is_some_and(|next| next.kind() == SyntaxKind::R_CURLY)
    }
}
