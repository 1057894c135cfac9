//! The items beside a static in the bodies around it.
//!
//! A name in a body means an item of this body before any item of the session, and no other
//! definition reaches an item of a body. The type of a static depends on these items, too.

use ra_ap_syntax::SyntaxNode;
use ra_ap_syntax::ast::{self, AstNode};

use crate::compiler::definitions::{Definitions, tokens};
use crate::compiler::macro_calls;

/// The items in the bodies around `of` that can have a part in its type.
pub(super) fn of(of: &SyntaxNode, definitions: &Definitions) -> Vec<SyntaxNode> {
    let bodies = of.ancestors().filter_map(ast::StmtList::cast);
    let statements = bodies.flat_map(|body| body.syntax().children().collect::<Vec<_>>());
    statements
        .filter(|statement| matters(statement, definitions))
        .collect()
}

fn matters(statement: &SyntaxNode, definitions: &Definitions) -> bool {
    match ast::Item::cast(statement.clone()) {
        Some(ast::Item::Fn(function)) => function.const_token().is_some(),
        Some(ast::Item::Static(_)) => false,
        Some(ast::Item::MacroCall(call)) => makes_items(&call, definitions),
        Some(_) => true,
        None => {
            let expression = ast::ExprStmt::cast(statement.clone())
                .and_then(|statement| statement.expr())
                .or_else(|| ast::Expr::cast(statement.clone()));
            let call = match expression {
                Some(ast::Expr::MacroExpr(call)) => call.macro_call(),
                _ => None,
            };
            call.is_some_and(|call| makes_items(&call, definitions))
        }
    }
}

fn makes_items(call: &ast::MacroCall, definitions: &Definitions) -> bool {
    let is_of_threads = macro_calls::name(call).is_some_and(|name| name == "thread_local");
    !is_of_threads && definitions.may_make_items(call)
}

/// The tokens of an item that can change a type. Methods can be added and changed.
pub(super) fn text(item: &SyntaxNode) -> String {
    let Some(of) = ast::Impl::cast(item.clone()) else {
        return tokens::text(item);
    };
    let items = of.assoc_item_list().into_iter();
    let constants = items
        .flat_map(|items| items.assoc_items())
        .filter(|item| match item {
            ast::AssocItem::Fn(of) => of.const_token().is_some(),
            _ => true,
        })
        .map(|item| tokens::text(item.syntax()));
    let header = item
        .children()
        .filter(|part| !ast::AssocItemList::can_cast(part.kind()));
    header
        .map(|part| tokens::text(&part))
        .chain(constants)
        .collect()
}
