//! The items of a source, as far as implementations are concerned.

use std::collections::BTreeSet;

use memit_magics::cell::syntax::Statements;
use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasGenericParams, HasName};
use ra_ap_syntax::{NodeOrToken, SyntaxKind, SyntaxNode};

use super::imports::Imports;
use crate::compiler::definitions::tokens;

/// An item at the top level of a source.
pub(super) struct Item {
    /// The byte at which the item starts.
    pub(super) at: usize,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// A type or a trait.
    Definition {
        name: String,
        /// The names of the traits that it derives.
        derived: BTreeSet<String>,
    },
    Implementation(Implementation),
    /// Another item without a name, with these tokens.
    Unnamed(String),
}

/// An `impl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Implementation {
    /// The trait and the type, with generic parameters by their position.
    pub(super) key: String,
    pub(super) trait_name: Option<String>,
    pub(super) type_name: Option<String>,
    /// The names that the `impl` defines.
    pub(super) names: BTreeSet<String>,
}

/// The items in `rust`, which has no commands in front. Adds the imports to `imports`.
pub(super) fn items(rust: &str, imports: &mut Imports) -> Vec<Item> {
    let statements = Statements::parse(rust);
    let items: Vec<_> = statements
        .statements()
        .filter_map(ast::Item::cast)
        .collect();
    for item in &items {
        imports.add(item);
    }
    let items = items.into_iter().filter_map(|item| {
        Some(Item {
            at: Statements::byte(item.syntax().text_range().start()),
            kind: kind(&item, imports)?,
        })
    });
    items.collect()
}

fn kind(item: &ast::Item, imports: &Imports) -> Option<Kind> {
    let name = match item {
        ast::Item::Struct(of) => of.name(),
        ast::Item::Enum(of) => of.name(),
        ast::Item::Union(of) => of.name(),
        ast::Item::Trait(of) => of.name(),
        ast::Item::Impl(of) => return Some(Kind::Implementation(implementation(of, imports))),
        ast::Item::Const(of) if of.name().is_some() => return None,
        ast::Item::Const(_) | ast::Item::ExternBlock(_) => {
            return Some(Kind::Unnamed(tokens::text(item.syntax())));
        }
        _ => return None,
    };
    let attributes = item.attrs().filter(|attribute| {
        identifiers(attribute.syntax())
            .next()
            .is_some_and(|first| first == "derive")
    });
    let derived = attributes.flat_map(|derive| identifiers(derive.syntax()).collect::<Vec<_>>());
    Some(Kind::Definition {
        name: name?.text().to_string(),
        derived: derived.collect(),
    })
}

fn identifiers(node: &SyntaxNode) -> impl Iterator<Item = String> {
    node.descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .filter(|token| token.kind() == SyntaxKind::IDENT)
        .map(|token| token.text().to_owned())
}

fn implementation(of: &ast::Impl, imports: &Imports) -> Implementation {
    let name = |of: Option<ast::Type>| match of? {
        ast::Type::PathType(of) => Some(of.path()?.segment()?.name_ref()?.text().to_string()),
        _ => None,
    };
    Implementation {
        key: key(of, imports),
        trait_name: name(of.trait_()),
        type_name: name(of.self_ty()),
        names: names(of),
    }
}

/// The trait and the type, with generic parameters by their position and without the imports.
fn key(of: &ast::Impl, imports: &Imports) -> String {
    let parameters = of.generic_param_list().into_iter();
    let parameters: Vec<_> = parameters
        .flat_map(|list| list.generic_params())
        .filter_map(|parameter| match parameter {
            ast::GenericParam::TypeParam(of) => of.name().map(|name| name.text().to_string()),
            ast::GenericParam::ConstParam(of) => of.name().map(|name| name.text().to_string()),
            ast::GenericParam::LifetimeParam(of) => {
                of.lifetime().map(|name| name.text().to_string())
            }
        })
        .collect();
    let parts = [of.trait_(), of.self_ty()].map(|part| {
        let text = part
            .map(|part| tokens::text(part.syntax()))
            .unwrap_or_default();
        let words = text.split_whitespace().map(|word| {
            let position = parameters.iter().position(|parameter| parameter == word);
            position.map_or(word.to_owned(), |position| format!("${position}"))
        });
        imports.resolve(&words.collect::<Vec<_>>()).join(" ")
    });
    parts.join(" for ")
}

/// The names that an inherent implementation defines.
fn names(of: &ast::Impl) -> BTreeSet<String> {
    let items = of
        .assoc_item_list()
        .into_iter()
        .flat_map(|list| list.assoc_items());
    let mut names: BTreeSet<_> = items
        .map(|item| {
            let name = match &item {
                ast::AssocItem::Const(of) => of.name(),
                ast::AssocItem::Fn(of) => of.name(),
                ast::AssocItem::TypeAlias(of) => of.name(),
                ast::AssocItem::MacroCall(_) => None,
            };
            name.map_or_else(
                || tokens::text(item.syntax()),
                |name| name.text().to_string(),
            )
        })
        .collect();
    if names.is_empty() {
        names.insert(String::new());
    }
    names
}
