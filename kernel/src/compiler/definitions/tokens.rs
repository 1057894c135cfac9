//! The tokens of a definition that matter to its meaning.

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};

use ra_ap_syntax::ast::{self, AstNode, AstToken};
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

/// Macros that put a file in the place of their call.
const INCLUDING: [&str; 3] = ["include", "include_bytes", "include_str"];

/// The tokens of `node` without white space, comments, neutral attributes and trailing commas, each
/// followed by a blank. A number behind the path of a file that is included stands for its content.
pub(crate) fn text(node: &SyntaxNode) -> String {
    let mut text = String::new();
    let tokens = tokens(node);
    for (at, token) in tokens.iter().enumerate() {
        text.push_str(token.text());
        text.push(' ');
        if let Some(content) = included(&tokens[..=at]) {
            let _ = write!(text, "{} ", hash(content));
        }
    }
    text
}

/// The content of the file that is included by a call that ends in these tokens, apart from its
/// closing delimiter.
fn included(tokens: &[SyntaxToken]) -> Option<Vec<u8>> {
    let [.., name, not, _open, path] = tokens else {
        return None;
    };
    let path = ast::String::cast(path.clone())?;
    let is_call = not.kind() == SyntaxKind::BANG && INCLUDING.contains(&name.text());
    is_call
        .then(|| fs::read(&*path.value().ok()?).ok())
        .flatten()
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
pub(crate) fn is_neutral(node: &SyntaxNode) -> bool {
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
