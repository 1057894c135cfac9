//! Whether the type of a value is evident from its source: a type that any cell can write.

use ra_ap_syntax::ast::{self, AstNode, HasArgList as _, HasGenericArgs as _};
use ra_ap_syntax::{Edition, SourceFile};

use super::words;

/// The types of the language that a cast may name.
const PRIMITIVE: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// Methods whose results have one type, whatever the receiver is.
const METHODS: [&str; 6] = [
    "len",
    "to_string",
    "is_empty",
    "count",
    "capacity",
    "as_str",
];

/// Methods whose results have the type between `::<` and `>`.
const NAMED: [&str; 4] = ["collect", "parse", "product", "sum"];

/// Whether the type of `value` is evident. `false` where that is not known.
pub(super) fn has_evident_type(value: &ast::Expr) -> bool {
    let all =
        |mut values: ast::AstChildren<ast::Expr>| values.all(|value| has_evident_type(&value));
    match value {
        ast::Expr::Literal(_) => true,
        ast::Expr::ParenExpr(inner) => is_evident(inner.expr()),
        ast::Expr::PrefixExpr(inner) => {
            inner.op_kind() != Some(ast::UnaryOp::Deref) && is_evident(inner.expr())
        }
        ast::Expr::TupleExpr(tuple) => all(tuple.fields()),
        ast::Expr::ArrayExpr(array) => match array.kind() {
            ast::ArrayExprKind::Repeat { initializer, .. } => is_evident(initializer),
            ast::ArrayExprKind::ElementList(elements) => {
                let mut elements = elements.peekable();
                elements.peek().is_some() && elements.all(|element| has_evident_type(&element))
            }
        },
        ast::Expr::BinExpr(binary) => match binary.op_kind() {
            Some(ast::BinaryOp::CmpOp(_) | ast::BinaryOp::LogicOp(_)) => true,
            _ => is_evident(binary.lhs()) && is_evident(binary.rhs()),
        },
        ast::Expr::CastExpr(cast) => {
            let of = cast.ty().map(|of| of.syntax().text().to_string());
            of.is_some_and(|of| PRIMITIVE.contains(&&*of))
        }
        ast::Expr::MacroExpr(call) => call.macro_call().is_some_and(|call| of_macro(&call)),
        ast::Expr::MethodCallExpr(call) => of_method(call),
        ast::Expr::CallExpr(call) => {
            let called = call.expr().map(|called| called.syntax().text().to_string());
            matches!(called.as_deref(), Some("String::from" | "String::new"))
        }
        _ => false,
    }
}

fn is_evident(value: Option<ast::Expr>) -> bool {
    value.is_some_and(|value| has_evident_type(&value))
}

fn of_macro(call: &ast::MacroCall) -> bool {
    let name = call.path().map(|path| path.syntax().text().to_string());
    let tokens = call
        .token_tree()
        .map(|tree| tree.syntax().text().to_string());
    match (name.as_deref(), tokens) {
        (Some("format"), _) => true,
        // The tokens of `vec!` are those of an array.
        (Some("vec"), Some(tokens)) if tokens.starts_with('[') => {
            let file = format!("const _: () = {tokens};");
            let parsed = SourceFile::parse(&file, Edition::Edition2024);
            let array = parsed
                .tree()
                .syntax()
                .descendants()
                .find_map(ast::ArrayExpr::cast);
            parsed.errors().is_empty()
                && array.is_some_and(|array| has_evident_type(&ast::Expr::ArrayExpr(array)))
        }
        _ => false,
    }
}

fn of_method(call: &ast::MethodCallExpr) -> bool {
    let name = call.name_ref().map(|name| name.text().to_string());
    let name = name.as_deref().unwrap_or_default();
    let has_arguments = call
        .arg_list()
        .is_some_and(|list| list.args().next().is_some());
    if has_arguments {
        return false;
    }
    let of = call
        .generic_arg_list()
        .map(|list| list.syntax().text().to_string());
    match of {
        Some(of) => NAMED.contains(&name) && !words(&of).contains("_"),
        None if name == "clone" => is_evident(call.receiver()),
        None => METHODS.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Statements;

    #[test]
    fn values_with_evident_types() {
        let is_evident = |value: &str| {
            let lets = Statements::parse(&format!("let x = {value};")).lets();
            lets[0].is_evident
        };
        for evident in [
            "3",
            "-1.5e3",
            "\"text\"",
            "(1, 'c', !true)",
            "[0u8; 4]",
            "vec![1u8; 100 << 20]",
            "vec![(1, \"a\"), (2, \"b\")]",
            "1 + 2 * 3",
            "f(x) == g()",
            "n as f64",
            "format!(\"{n}\")",
            "String::from(\"a\")",
            "\"a\".to_string()",
            "\"a\".to_string().clone()",
            "(0..n).map(f).collect::<Vec<u64>>()",
            "v.len()",
        ] {
            assert!(is_evident(evident), "{evident}");
        }
        for other in [
            "f(x)",
            "|x| x",
            "Box::new(1)",
            "vec![]",
            "vec![|x: i32| x + 1]",
            "[]",
            "0..10",
            "v.iter()",
            "v.iter().collect::<Vec<_>>()",
            "Vec::new()",
            "&v",
            "*v",
            "x",
            "Point { x: 1 }",
            "n as T",
            "v.push(1)",
        ] {
            assert!(!is_evident(other), "{other}");
        }
    }
}
