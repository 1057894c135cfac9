//! The names that a type or a definition mentions.

use std::collections::BTreeSet;

use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode};

use super::tokens;

/// A name that a type or a definition mentions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mention {
    pub(super) name: String,
    /// Whether other names stand before this one in its path, so that a new definition in the
    /// session cannot give the name another meaning.
    pub(super) is_qualified: bool,
}

/// Crates whose definitions no cell can change.
const STANDARD: [&str; 3] = ["std", "core", "alloc"];

/// Types behind which a value of any type of the session can hide. The last are of libraries.
pub(super) const ANY: &[&str] = &["Any", "AnyMap", "Extensions", "TypeMap"];
/// Types behind which a value of any type that implements `Error` can hide.
pub(super) const ERROR: &[&str] = &["Error", "Report"];

/// The names that `node` mentions, except in the bodies of functions that run at run time only.
pub(super) fn of(node: &SyntaxNode) -> BTreeSet<Mention> {
    let mut mentions = BTreeSet::new();
    collect(node, &mut mentions);
    for parameter in parameters(node) {
        mentions.retain(|mention| mention.name != parameter);
    }
    mentions
}

/// The names of the generic parameters that `node` declares.
pub(super) fn parameters(node: &SyntaxNode) -> Vec<String> {
    let lists = node
        .descendants()
        .filter_map(ast::GenericParamList::cast)
        .flat_map(|list| list.generic_params());
    let name = |parameter| match parameter {
        ast::GenericParam::TypeParam(parameter) => parameter.name(),
        ast::GenericParam::ConstParam(parameter) => parameter.name(),
        ast::GenericParam::LifetimeParam(_) => None,
    };
    lists
        .filter_map(name)
        .map(|name| name.text().to_string())
        .collect()
}

/// Whether `function` has a body that the compiler never runs.
fn runs_later(node: &SyntaxNode) -> bool {
    let function = node.parent().and_then(ast::Fn::cast);
    ast::BlockExpr::can_cast(node.kind())
        && function.is_some_and(|function| function.const_token().is_none())
}

fn collect(node: &SyntaxNode, mentions: &mut BTreeSet<Mention>) {
    for child in node.children_with_tokens() {
        match child {
            NodeOrToken::Node(child) => {
                if tokens::is_neutral(&child) || runs_later(&child) {
                    continue;
                }
                if let Some(name) = ast::NameRef::cast(child.clone()) {
                    mentions.extend(of_name(&name));
                }
                collect(&child, mentions);
            }
            // The meaning of a name among the tokens of a macro is unknown.
            NodeOrToken::Token(token) => {
                if token.kind() == SyntaxKind::IDENT && node.kind() == SyntaxKind::TOKEN_TREE {
                    mentions.insert(Mention {
                        name: token.text().to_owned(),
                        is_qualified: true,
                    });
                }
            }
        }
    }
}

/// Whether values of types of the session can hide behind the type `name`.
pub(super) fn hides(name: &str) -> bool {
    ANY.contains(&name) || ERROR.contains(&name)
}

fn of_name(name: &ast::NameRef) -> Option<Mention> {
    let text = name.text().to_string();
    let parent = name.syntax().parent()?;
    let fields = [SyntaxKind::FIELD_EXPR, SyntaxKind::RECORD_EXPR_FIELD];
    if name.ident_token().is_none() || fields.contains(&parent.kind()) {
        return None;
    }
    let qualified = Mention {
        name: text.clone(),
        is_qualified: true,
    };
    let Some(segment) = ast::PathSegment::cast(parent) else {
        return Some(qualified);
    };
    let path = segment.parent_path();
    let first = path.first_segment()?;
    let is_first = first == segment;
    let crate_name = first.name_ref().map(|name| name.text().to_string());
    if crate_name.is_some_and(|name| STANDARD.contains(&name.as_str())) {
        return hides(&text).then_some(qualified);
    }
    Some(Mention {
        name: text,
        is_qualified: !is_first,
    })
}
