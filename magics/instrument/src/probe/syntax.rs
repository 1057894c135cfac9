//! Questions about statements and expressions.

use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::{Expr, Stmt};

/// Whether the last statement of a block is the value of the block.
pub(super) fn is_value(last: &Stmt) -> bool {
    match last {
        Stmt::Expr(_, semicolon) => semicolon.is_none(),
        Stmt::Macro(called) => called.semi_token.is_none(),
        _ => false,
    }
}

/// Whether the code after a statement is never reached.
pub(super) fn leaves(statement: &Stmt) -> bool {
    matches!(
        statement,
        Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _)
    )
}

/// Whether an expression is a place, so that a reference to it may be taken.
pub(super) fn is_place(of: &Expr) -> bool {
    match of {
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) => true,
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Deref(_)),
        Expr::Paren(paren) => is_place(&paren.expr),
        _ => false,
    }
}

/// Whether `a && condition` means `a && (condition)`; a `let` must have no parentheses.
pub(super) fn binds_tightly(condition: &Expr) -> bool {
    use syn::BinOp::{And, Eq, Ge, Gt, Le, Lt, Ne};
    match condition {
        Expr::Binary(binary) => {
            matches!(
                binary.op,
                And(_) | Eq(_) | Ge(_) | Gt(_) | Le(_) | Lt(_) | Ne(_)
            )
        }
        Expr::Assign(_) | Expr::Range(_) | Expr::Return(_) | Expr::Break(_) | Expr::Closure(_) => {
            false
        }
        _ => true,
    }
}

/// The position after the last token.
///
/// `span` cannot be used: stable compilers join no spans in a macro, so it covers the first token only.
pub(super) fn end(of: &impl ToTokens) -> LineColumn {
    fn of_tokens(tokens: TokenStream) -> Option<LineColumn> {
        match tokens.into_iter().last()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                of_tokens(group.stream())
            }
            TokenTree::Group(group) => Some(group.span().end()),
            other => Some(other.span().end()),
        }
    }
    of_tokens(of.to_token_stream()).unwrap_or(LineColumn { line: 0, column: 0 })
}

/// The attributes of a declaration or a macro.
pub(super) fn attributes(statement: &Stmt) -> &[syn::Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(called) => &called.attrs,
        _ => &[],
    }
}

/// The line on which a statement starts, without its attributes.
pub(super) fn line(statement: &Stmt) -> usize {
    let span = match statement {
        Stmt::Local(local) => local.let_token.span,
        Stmt::Macro(called) => called.mac.path.span(),
        other => other.span(),
    };
    span.start().line
}
