//! The variables around a statement in a block.

use ra_ap_syntax::ast::{self, AstNode, HasLoopBody as _, HasName};
use ra_ap_syntax::{SyntaxNode, TextSize};

use super::{BEFORE, Statements, offset};

/// What stands around a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The names that statements above and blocks around have bound.
    pub names: Vec<String>,
    /// The blocks around that run with other values each time, the innermost first.
    pub blocks: Vec<Block>,
    /// Whether there is a function around, which does not see the variables of the session.
    pub in_function: bool,
}

/// A block that runs with values of its own: the body of a loop or a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The byte behind its `{`.
    pub start: usize,
    /// The names that it runs with.
    pub names: Vec<String>,
}

impl Statements {
    /// What stands around the statement that begins at the byte `at`.
    pub fn surroundings(&self, at: usize) -> Surroundings {
        let at = TextSize::of(BEFORE) + offset(at);
        let mut found = Surroundings::default();
        let Some(token) = self.file.syntax().token_at_offset(at).right_biased() else {
            return found;
        };
        let mut block = None;
        for node in token.parent_ancestors() {
            // The outermost function is ours.
            if found.in_function || usize::from(node.text_range().start()) == 0 {
                break;
            }
            if let Some(list) = ast::StmtList::cast(node.clone()) {
                let above = list
                    .statements()
                    .take_while(|of| of.syntax().text_range().end() <= at);
                for statement in above {
                    if let ast::Stmt::LetStmt(binding) = statement {
                        found.names.extend(binding.pat().iter().flat_map(names));
                    }
                }
                block = list.l_curly_token().map(|curly| curly.text_range().end());
                continue;
            }
            let patterns = patterns(&node, at);
            found.in_function = ast::Fn::can_cast(node.kind());
            let names: Vec<String> = patterns.iter().flat_map(names).collect();
            if names.is_empty() {
                continue;
            }
            found.names.extend(names.iter().cloned());
            if let Some(start) = block.take() {
                let start = usize::from(start) - BEFORE.len();
                found.blocks.push(Block { start, names });
            }
        }
        found
    }
}

/// The patterns whose names the part of `node` at `at` can use.
fn patterns(node: &SyntaxNode, at: TextSize) -> Vec<ast::Pat> {
    if let Some(function) = ast::Fn::cast(node.clone()) {
        let parameters = function.param_list().into_iter();
        return parameters
            .flat_map(|list| list.params())
            .filter_map(|of| of.pat())
            .collect();
    }
    if let Some(arm) = ast::MatchArm::cast(node.clone()) {
        return arm.pat().into_iter().collect();
    }
    let within = |part: Option<&SyntaxNode>| {
        part.is_some_and(|part| part.text_range().contains_inclusive(at))
    };
    let of_condition = |condition: Option<ast::Expr>| {
        let conditions = condition.into_iter();
        let lets = conditions.flat_map(|of| of.syntax().descendants().collect::<Vec<_>>());
        lets.filter_map(ast::LetExpr::cast)
            .filter_map(|of| of.pat())
            .collect()
    };
    match ast::Expr::cast(node.clone()) {
        Some(ast::Expr::ForExpr(of)) => of.pat().into_iter().collect(),
        Some(ast::Expr::ClosureExpr(of)) => {
            let parameters = of.param_list().into_iter();
            parameters
                .flat_map(|list| list.params())
                .filter_map(|of| of.pat())
                .collect()
        }
        Some(ast::Expr::WhileExpr(of)) if within(of.loop_body().as_ref().map(AstNode::syntax)) => {
            of_condition(of.condition())
        }
        Some(ast::Expr::IfExpr(of)) if within(of.then_branch().as_ref().map(AstNode::syntax)) => {
            of_condition(of.condition())
        }
        _ => Vec::new(),
    }
}

/// The names that a pattern binds. A name in capitals is a constant.
fn names(pattern: &ast::Pat) -> Vec<String> {
    let bound = pattern
        .syntax()
        .descendants()
        .filter_map(ast::IdentPat::cast);
    let names = bound.filter_map(|name| Some(name.name()?.text().to_string()));
    names
        .filter(|name| !name.starts_with(char::is_uppercase))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(code: &str) -> Surroundings {
        Statements::parse(code).surroundings(code.find("here").unwrap())
    }

    #[test]
    fn names_above_and_around_are_found() {
        let code =
            "let a = 1; for (n, m) in x { let b = 2; if let Some(c) = y { here(); let d = 3; } }";
        let found = around(code);
        assert_eq!(found.names, ["c", "b", "n", "m", "a"]);
        let starts: Vec<_> = found
            .blocks
            .iter()
            .map(|block| &code[..block.start])
            .collect();
        assert!(
            starts[0].ends_with("= y {") && starts[1].ends_with("in x {"),
            "{starts:?}"
        );
        assert_eq!(found.blocks[1].names, ["n", "m"]);
        assert!(!found.in_function);
    }

    #[test]
    fn a_function_hides_what_is_around() {
        let found = around("let a = 1; fn f(n: u32, _: u8) { let g = |k| { here(); }; }");
        assert_eq!(found.names, ["k", "n"]);
        assert_eq!(found.blocks.len(), 2);
        assert!(found.in_function);
    }

    #[test]
    fn other_branches_and_constants_bind_nothing() {
        assert_eq!(
            around("if let Some(c) = y {} else { here(); }").names,
            [""; 0]
        );
        assert_eq!(
            around("match x { None => { here(); } Some(v) => {} }").names,
            [""; 0]
        );
        assert_eq!(
            around("match x { None => {} Some(v) => { here(); } }").names,
            ["v"]
        );
        assert_eq!(
            around("while let Some(t) = s.pop() { here(); }").names,
            ["t"]
        );
        assert_eq!(around("here(); let a = 1;").names, [""; 0]);
    }
}
