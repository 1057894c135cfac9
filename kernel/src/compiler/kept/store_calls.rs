//! The calls in a cell's source that take variables from the store and put them back.

use std::ops::Range;

use ra_ap_syntax::SyntaxNode;
use ra_ap_syntax::ast::{self, AstNode, HasArgList, HasGenericArgs};

/// How evcxr names the store in a cell.
pub(super) const STORE: &str = "evcxr_variable_store";

/// A call of the store.
pub(super) struct StoreCall {
    pub(super) kind: Kind,
    pub(super) variable: String,
    /// The type argument.
    pub(super) of: SyntaxNode,
    node: SyntaxNode,
    /// Behind the name of the called function.
    pub(super) name_end: usize,
    /// Before the closing parenthesis.
    pub(super) arguments_end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Check,
    Take,
    Put,
}

pub(super) type Edit = (Range<usize>, String);

/// The call, if `call` is one of the store.
pub(super) fn store_call(call: &ast::MethodCallExpr) -> Option<StoreCall> {
    let name = call.name_ref()?;
    let kind = match name.text() {
        "check_variable" => Kind::Check,
        "take_variable" => Kind::Take,
        "put_variable" => Kind::Put,
        _ => return None,
    };
    if call.receiver()?.syntax().text() != STORE {
        return None;
    }
    let of = call.generic_arg_list()?.generic_args().next()?;
    let arguments = call.arg_list()?;
    let ast::Expr::MacroExpr(variable) = arguments.args().next()? else {
        return None;
    };
    let tree = variable
        .macro_call()?
        .token_tree()?
        .syntax()
        .text()
        .to_string();
    Some(StoreCall {
        kind,
        variable: tree.trim_matches(['(', ')', ' ']).to_owned(),
        of: of.syntax().clone(),
        node: call.syntax().clone(),
        name_end: name.syntax().text_range().end().into(),
        arguments_end: arguments.r_paren_token()?.text_range().start().into(),
    })
}

/// Checks nothing, and drops the variable by the code that made it.
pub(super) fn give_up(call: &StoreCall) -> Edit {
    let range = range(&call.node);
    let blanks = line_breaks(&call.node);
    let variable = &call.variable;
    (
        range,
        format!("{STORE}.give_up(stringify!({variable})){blanks}"),
    )
}

/// Removes the statement that takes the variable.
pub(super) fn without(call: &StoreCall) -> Option<Edit> {
    let statement = call
        .node
        .parent()
        .filter(|parent| ast::LetStmt::can_cast(parent.kind()))?;
    Some((range(&statement), line_breaks(&statement)))
}

fn range(node: &SyntaxNode) -> Range<usize> {
    node.text_range().start().into()..node.text_range().end().into()
}

/// As many line breaks as `node` has, so that the lines below keep their numbers.
fn line_breaks(node: &SyntaxNode) -> String {
    let text = node.text().to_string();
    "\n".repeat(text.matches('\n').count())
}

/// The source with the edits, which do not overlap.
pub(super) fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut changed = String::with_capacity(source.len());
    let mut copied = 0;
    for (range, text) in edits {
        changed.push_str(&source[copied..range.start]);
        changed.push_str(&text);
        copied = range.end;
    }
    changed + &source[copied..]
}
