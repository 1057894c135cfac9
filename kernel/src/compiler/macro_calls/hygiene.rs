//! Variables of macros: the compiler tells a variable that a macro binds from a variable of the same name in
//! a call.

use std::collections::{BTreeMap, BTreeSet};

use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};

use super::trees::{Leaf, Origin};

/// Whether all variables keep their meanings if the source `file` takes the place of `call`. The tokens
/// `leaves` begin at `starts`.
pub(super) fn keeps_variables(
    file: &SyntaxNode,
    starts: &[usize],
    leaves: &[Leaf],
    call: &ast::MacroCall,
) -> bool {
    let bound = bound(file);
    let function = call.syntax().ancestors().find_map(ast::Fn::cast);
    let around = function.map(|function| self::bound(function.syntax()));
    // No variable reaches into another item.
    let mut homes = BTreeMap::<(usize, String), BTreeSet<Option<u32>>>::new();
    for token in file
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
    {
        let Ok(number) = starts.binary_search(&token.text_range().start().into()) else {
            continue;
        };
        let home = match leaves[number].origin {
            Origin::Text(_) => None,
            Origin::Macro(number) => Some(number),
        };
        for name in variables(&token) {
            // A variable around the call is none of the macro's.
            if home.is_some() && around.as_ref().is_some_and(|around| around.contains(&name)) {
                return false;
            }
            if bound.contains(&name) {
                let place = (item_around(&token), name);
                homes.entry(place).or_default().insert(home);
            }
        }
    }
    homes.values().all(|homes| homes.len() == 1)
}

/// Where the innermost item around a token starts.
fn item_around(token: &SyntaxToken) -> usize {
    let is_item = |node: &SyntaxNode| {
        ast::Item::can_cast(node.kind()) && !ast::MacroCall::can_cast(node.kind())
    };
    let around = token.parent_ancestors().find(is_item);
    around.map_or(0, |item| item.text_range().start().into())
}

/// The variables and labels that `node` binds.
fn bound(node: &SyntaxNode) -> BTreeSet<String> {
    let name = |node: SyntaxNode| {
        if let Some(of) = ast::IdentPat::cast(node.clone()) {
            Some(of.name()?.text().to_string())
        } else if ast::SelfParam::can_cast(node.kind()) {
            Some("self".to_owned())
        } else {
            Some(ast::Label::cast(node)?.lifetime()?.text().to_string())
        }
    };
    node.descendants().filter_map(name).collect()
}

/// The variables and labels that a token may name: one, or those in a string with a format.
fn variables(token: &SyntaxToken) -> Vec<String> {
    let text = token.text().to_owned();
    let parent = token.parent();
    let is_among_tokens = parent
        .as_ref()
        .is_some_and(|parent| ast::TokenTree::can_cast(parent.kind()));
    match token.kind() {
        SyntaxKind::STRING => {
            let pieces = text.split('{').skip(1);
            let name = |piece: &str| {
                let end = piece.find(|c: char| !c.is_alphanumeric() && c != '_');
                piece[..end.unwrap_or(piece.len())].to_owned()
            };
            pieces.map(name).collect()
        }
        SyntaxKind::LIFETIME_IDENT => vec![text],
        SyntaxKind::IDENT | SyntaxKind::SELF_KW => {
            let is_bound = parent
                .as_ref()
                .and_then(SyntaxNode::parent)
                .is_some_and(|around| {
                    ast::IdentPat::can_cast(around.kind())
                        || ast::SelfParam::can_cast(around.kind())
                });
            let is_read = parent.is_some_and(|name| is_variable(&name));
            if is_bound || is_read || is_among_tokens {
                vec![text]
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

/// Whether `name` is all of a path that is an expression.
fn is_variable(name: &SyntaxNode) -> bool {
    let path = name.ancestors().find_map(ast::PathExpr::cast);
    path.is_some_and(|path| path.syntax().text_range() == name.text_range())
}
