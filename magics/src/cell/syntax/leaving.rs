//! Expressions that leave the statements: `return`, `break` and `continue`.

use std::ops::Range;

use ra_ap_syntax::SyntaxNode;
use ra_ap_syntax::ast::{self, AstNode, HasLoopBody as _};

use super::{BEFORE, Statements};

/// An expression that leaves the statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// `return`, `break` or `continue`.
    pub keyword: &'static str,
    /// The bytes of the expression.
    pub range: Range<usize>,
}

impl Statements {
    /// The first expression that leaves the statements: a `return` outside of functions and closures of the
    /// statements, or a `break` or `continue` outside of their loops.
    pub fn leaving(&self) -> Option<Leaving> {
        let mut nodes = self.file.syntax().descendants();
        nodes.find_map(|node| {
            let keyword = match ast::Expr::cast(node.clone())? {
                ast::Expr::ReturnExpr(_) => "return",
                ast::Expr::BreakExpr(_) => "break",
                ast::Expr::ContinueExpr(_) => "continue",
                _ => return None,
            };
            let range = node.text_range();
            let start = usize::from(range.start()).checked_sub(BEFORE.len())?;
            let end = usize::from(range.end()) - BEFORE.len();
            // The outermost function is ours.
            let mut around = node.ancestors().skip(1);
            let is_caught = around.any(|node| catches(&node, keyword) && !is_ours(&node));
            (!is_caught && end <= self.length).then_some(Leaving {
                keyword,
                range: start..end,
            })
        })
    }
}

/// Whether the node ends what the keyword leaves.
fn catches(node: &SyntaxNode, keyword: &str) -> bool {
    let Some(expression) = ast::Expr::cast(node.clone()) else {
        return ast::Fn::can_cast(node.kind());
    };
    match expression {
        ast::Expr::ClosureExpr(_) => true,
        ast::Expr::BlockExpr(block) => {
            block.async_token().is_some() || keyword == "break" && block.label().is_some()
        }
        ast::Expr::LoopExpr(of) => keyword != "return" && of.loop_body().is_some(),
        ast::Expr::WhileExpr(_) | ast::Expr::ForExpr(_) => keyword != "return",
        _ => false,
    }
}

fn is_ours(node: &SyntaxNode) -> bool {
    usize::from(node.text_range().start()) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaving_expression_is_found() {
        let leaving = |code: &str| {
            let leaving = Statements::parse(code).leaving()?;
            Some((leaving.keyword, code[leaving.range].to_owned()))
        };
        assert_eq!(leaving("return 3"), Some(("return", "return 3".to_owned())));
        assert_eq!(
            leaving("if x { break; }"),
            Some(("break", "break".to_owned()))
        );
        assert_eq!(
            leaving("for _ in 0..1 { return; }"),
            Some(("return", "return".to_owned()))
        );
        assert_eq!(
            leaving("loop { break } continue"),
            Some(("continue", "continue".to_owned()))
        );
        for code in [
            "",
            "f()?",
            "loop { break 3 }",
            "for _ in x { if y { continue; } }",
            "'a: { break 'a 1 }",
            "(|| return 3)()",
            "fn f() -> u8 { return 1; } f()",
            "async { return 1 }",
        ] {
            assert_eq!(leaving(code), None, "{code}");
        }
    }
}
