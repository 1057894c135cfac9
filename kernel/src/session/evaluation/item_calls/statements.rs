//! The statements of a source, as far as calls of macros are concerned.

use std::ops::Range;

use memit_magics::cell::syntax::Statements;
use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{NodeOrToken, SourceFile, SyntaxNode, SyntaxToken};

use crate::compiler::definitions::tokens;
use crate::compiler::{macro_calls, marks};

/// A statement at the top level of a source.
pub(super) enum Statement {
    /// A `macro_rules!`.
    Macro(ast::MacroRules),
    /// A constant that ends the item of this name.
    End(String),
    /// An item that defines or imports these names.
    Item(Vec<String>),
    Call(Call),
}

/// A call of a macro.
pub(super) struct Call {
    pub(super) node: ast::MacroCall,
    /// The name of the macro.
    pub(super) name: String,
    /// The arguments.
    pub(super) arguments: String,
    /// The argument that is most likely the name of what the call makes.
    pub(super) subject: String,
    /// The bytes of the statement, with attributes and a semicolon.
    pub(super) range: Range<usize>,
    /// Whether the statement has a semicolon.
    pub(super) has_end: bool,
    /// Whether the arguments stand in braces.
    pub(super) has_braces: bool,
}

/// The statements of `rust`, which has no commands in front, if there is a call of a macro or an
/// item. Empty if `rust` does not parse.
pub(super) fn of(rust: &str) -> Vec<Statement> {
    let parsed = Statements::parse(rust);
    if !parsed.is_valid() {
        return Vec::new();
    }
    let nodes = parsed.statements();
    nodes.filter_map(|node| statement(&node)).collect()
}

fn statement(node: &SyntaxNode) -> Option<Statement> {
    if let Some(item) = ast::Item::cast(node.clone()) {
        return Some(match item {
            ast::Item::MacroRules(of) => Statement::Macro(of),
            ast::Item::Const(of) if marks::is_end(&of.syntax().text().to_string()) => {
                Statement::End(of.name()?.text().to_string())
            }
            item => Statement::Item(macro_calls::item_names(&item)),
        });
    }
    let statement = ast::ExprStmt::cast(node.clone());
    let expression = match &statement {
        Some(statement) => statement.expr()?,
        None => ast::Expr::cast(node.clone())?,
    };
    let ast::Expr::MacroExpr(expression) = expression else {
        return None;
    };
    let call = expression.macro_call()?;
    let tree = call.token_tree()?;
    let range = node.text_range();
    let arguments = tokens::text(tree.syntax());
    let names = macro_calls::names(&call);
    let is_upper = |name: &&String| name.starts_with(char::is_uppercase);
    let subject = names.iter().find(is_upper).or(names.first());
    Some(Statement::Call(Call {
        name: macro_calls::name(&call)?,
        subject: subject.unwrap_or(&arguments).clone(),
        arguments,
        range: Statements::byte(range.start())..Statements::byte(range.end()),
        has_end: statement.is_some_and(|statement| statement.semicolon_token().is_some()),
        has_braces: tree.l_curly_token().is_some(),
        node: call,
    }))
}

/// The items of a file, without comments and line breaks.
pub(super) fn texts(file: &SourceFile) -> Vec<String> {
    let items = file.syntax().children().filter_map(ast::Item::cast);
    let text = |item: ast::Item| {
        let tokens = item.syntax().descendants_with_tokens();
        let tokens = tokens.filter_map(NodeOrToken::into_token);
        let text = |token: SyntaxToken| {
            let is_trivia = token.kind().is_trivia();
            if is_trivia {
                " ".to_owned()
            } else {
                token.text().to_owned()
            }
        };
        tokens.map(text).collect()
    };
    items.map(text).collect()
}
