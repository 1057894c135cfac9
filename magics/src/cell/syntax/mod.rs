//! Questions about a piece of a cell that need Rust's grammar.

mod closed;
mod end;
mod evident;
mod leaving;
mod surroundings;
mod test_functions;

use std::collections::HashSet;
use std::ops::Range;

use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{Edition, SourceFile, SyntaxNode, SyntaxToken, TextRange, TextSize};

pub use closed::{Closed, Unbalanced};
pub use end::Completeness;
pub use leaving::Leaving;
pub use surroundings::{Block, Surroundings};
pub(crate) use test_functions::TestFunctions;

/// The edition in which evcxr compiles cells.
pub(crate) const EDITION: Edition = Edition::Edition2024;

const BEFORE: &str = "fn cell() {";
const AFTER: &str = "\n}";

/// Statements, parsed as the body of a function. Offsets are relative to the statements.
pub struct Statements {
    file: SourceFile,
    errors: Vec<Range<usize>>,
    length: usize,
}

impl Statements {
    /// Parses `code`. Errors are kept for [`Self::is_valid`] and [`Self::completeness`].
    pub fn parse(code: &str) -> Self {
        let parsed = SourceFile::parse(&format!("{BEFORE}{code}{AFTER}"), EDITION);
        let before = BEFORE.len();
        let errors = parsed
            .errors()
            .iter()
            .map(|error| {
                let range = error.range();
                usize::from(range.start()).saturating_sub(before)
                    ..usize::from(range.end()).saturating_sub(before)
            })
            .collect();
        Self {
            file: parsed.tree(),
            errors,
            length: code.len(),
        }
    }

    fn tokens(&self) -> impl Iterator<Item = SyntaxToken> {
        let range = TextRange::at(TextSize::of(BEFORE), offset(self.length));
        self.file
            .syntax()
            .descendants_with_tokens()
            .filter_map(ra_ap_syntax::NodeOrToken::into_token)
            .filter(move |token| {
                range
                    .intersect(token.text_range())
                    .is_some_and(|r| !r.is_empty())
            })
    }

    /// The nodes at the top level.
    pub fn statements(&self) -> impl Iterator<Item = SyntaxNode> {
        self.file
            .syntax()
            .children()
            .find_map(ast::Fn::cast)
            .and_then(|function| function.body())
            .and_then(|body| body.stmt_list())
            .into_iter()
            .flat_map(|list| list.syntax().children())
    }

    /// The byte of the code at an offset of [`Self::statements`].
    pub fn byte(offset: TextSize) -> usize {
        usize::from(offset).saturating_sub(BEFORE.len())
    }

    /// Whether the code consists of white space and comments only.
    pub fn is_blank(&self) -> bool {
        self.tokens().all(|token| token.kind().is_trivia())
    }

    /// End offsets of the names in `let name = path(…)` that have no type annotation.
    pub fn untyped_results(&self, path: &str) -> Vec<usize> {
        let end_of_name = |statement: SyntaxNode| {
            let binding = ast::LetStmt::cast(statement)?;
            let (Some(ast::Pat::IdentPat(name)), None) = (binding.pat(), binding.ty()) else {
                return None;
            };
            let ast::Expr::CallExpr(call) = binding.initializer()? else {
                return None;
            };
            let called = call.expr()?.syntax().text().to_string();
            let end = usize::from(name.syntax().text_range().end());
            (called.trim_start_matches("::") == path).then_some(end - BEFORE.len())
        };
        self.statements().filter_map(end_of_name).collect()
    }

    /// Whether the code has no syntax errors.
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// The names bound by `let` statements at the top level.
    pub fn bound_names(&self) -> Vec<String> {
        self.lets()
            .into_iter()
            .flat_map(|each| each.names)
            .collect()
    }

    /// The `let` statements at the top level.
    pub fn lets(&self) -> Vec<Let> {
        let before = BEFORE.len();
        let read = |statement: ast::LetStmt| {
            let range = statement.syntax().text_range();
            let pattern = statement.pat()?;
            let names: Vec<_> = pattern
                .syntax()
                .descendants()
                .filter_map(ast::IdentPat::cast)
                .collect();
            let value = statement.initializer();
            Some(Let {
                range: usize::from(range.start()) - before..usize::from(range.end()) - before,
                names: names
                    .iter()
                    .filter_map(|name| Some(name.name()?.text().to_string()))
                    .collect(),
                is_mutable: names.iter().any(|name| name.mut_token().is_some()),
                is_closure: matches!(value, Some(ast::Expr::ClosureExpr(_))),
                is_evident: value.as_ref().is_some_and(evident::has_evident_type),
                pattern: pattern.syntax().text().to_string(),
                of: statement.ty().map(|of| of.syntax().text().to_string()),
                value: value.map(|value| value.syntax().text().to_string()),
            })
        };
        let statements = self.statements().filter_map(ast::LetStmt::cast);
        statements.filter_map(read).collect()
    }

    /// Whether there are only `let` statements, items and imports.
    pub fn only_binds(&self) -> bool {
        self.is_valid()
            && self
                .statements()
                .all(|node| ast::LetStmt::can_cast(node.kind()) || ast::Item::can_cast(node.kind()))
    }

    /// The names that `let` statements bind below the top level, in blocks and functions.
    pub fn names_in_blocks(&self) -> Vec<String> {
        let top = self.statements().collect::<HashSet<_>>();
        let lets = self
            .file
            .syntax()
            .descendants()
            .filter_map(ast::LetStmt::cast);
        lets.filter(|statement| !top.contains(statement.syntax()))
            .filter_map(|statement| statement.pat())
            .flat_map(|pattern| pattern.syntax().descendants().collect::<Vec<_>>())
            .filter_map(ast::IdentPat::cast)
            .filter_map(|name| Some(name.name()?.text().to_string()))
            .collect()
    }

    /// Where the statements start that run: behind the attributes of the whole cell. `None` if
    /// nothing runs, because there are only items.
    pub fn start_of_run(&self) -> Option<usize> {
        let runs = |node: &SyntaxNode| {
            !ast::Item::can_cast(node.kind()) && !ast::Attr::can_cast(node.kind())
        };
        if !self.statements().any(|node| runs(&node)) {
            return None;
        }
        let attributes = self
            .statements()
            .take_while(|node| ast::Attr::can_cast(node.kind()));
        let end = attributes
            .last()
            .map(|last| usize::from(last.text_range().end()) - BEFORE.len());
        Some(end.unwrap_or(0))
    }

    /// The source of the items, imports and attributes at the top level.
    pub fn items(&self) -> Vec<String> {
        self.statements()
            .filter(|node| ast::Item::can_cast(node.kind()) || ast::Attr::can_cast(node.kind()))
            .map(|node| node.text().to_string())
            .collect()
    }

    /// The bytes of the final expression, which is the value of the statements.
    pub fn value(&self) -> Option<Range<usize>> {
        let last = self.statements().last().and_then(ast::Expr::cast)?;
        if matches!(last, ast::Expr::ForExpr(_) | ast::Expr::WhileExpr(_)) {
            return None;
        }
        let range = last.syntax().text_range();
        let before = BEFORE.len();
        let start = usize::from(range.start()).checked_sub(before)?;
        let end = usize::from(range.end()).checked_sub(before)?;
        (end <= self.length).then_some(start..end)
    }

    /// Whether the final expression names a place, such as a variable or a field, which its use need not move.
    pub fn value_is_place(&self) -> bool {
        fn is_place(expression: &ast::Expr) -> bool {
            match expression {
                ast::Expr::PathExpr(_) | ast::Expr::FieldExpr(_) | ast::Expr::IndexExpr(_) => true,
                ast::Expr::PrefixExpr(prefix) => prefix.op_kind() == Some(ast::UnaryOp::Deref),
                ast::Expr::ParenExpr(within) => within.expr().is_some_and(|of| is_place(&of)),
                _ => false,
            }
        }
        let last = self.statements().last().and_then(ast::Expr::cast);
        last.is_some_and(|last| is_place(&last))
    }

    /// Where each `?` is whose expression starts at the byte `start`, the innermost first.
    pub fn question_marks(&self, start: usize) -> Vec<usize> {
        let start = TextSize::of(BEFORE) + offset(start);
        let nodes = self.file.syntax().descendants();
        let tries = nodes
            .filter_map(ast::TryExpr::cast)
            .filter(|of| of.syntax().text_range().start() == start);
        let marks = tries.filter_map(|of| of.question_mark_token());
        let mut at: Vec<usize> = marks
            .map(|mark| usize::from(mark.text_range().start()) - BEFORE.len())
            .collect();
        at.sort_unstable();
        at
    }

    /// Whether the code uses `.await` outside its own `async` blocks and functions.
    pub fn awaits(&self) -> bool {
        let is_outside = |node: &SyntaxNode| {
            !node.ancestors().skip(1).any(|node| {
                ast::BlockExpr::cast(node.clone())
                    .is_some_and(|block| block.async_token().is_some())
                    || ast::ClosureExpr::cast(node.clone())
                        .is_some_and(|closure| closure.async_token().is_some())
                    || ast::Fn::cast(node).is_some_and(|function| function.async_token().is_some())
            })
        };
        self.file.syntax().descendants().any(|node| {
            if ast::AwaitExpr::can_cast(node.kind()) {
                return is_outside(&node);
            }
            let call = ast::MacroCall::cast(node);
            let arguments = call.and_then(|call| call.token_tree());
            arguments.is_some_and(|arguments| {
                is_outside(arguments.syntax()) && arguments_await(&arguments.syntax().to_string())
            })
        })
    }
}

/// Whether the arguments of a macro, in their brackets, use `.await`. Most macros take expressions.
fn arguments_await(arguments: &str) -> bool {
    if !arguments.contains("await") {
        return false;
    }
    let inner = arguments.get(1..arguments.len().saturating_sub(1));
    let inner = inner.unwrap_or_default();
    let as_expressions = Statements::parse(&format!("[{inner}]"));
    if as_expressions.is_valid() {
        return as_expressions.awaits();
    }
    Statements::parse(inner).awaits()
}

/// A `let` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Let {
    /// The bytes of the statement.
    pub range: Range<usize>,
    /// The names that it binds.
    pub names: Vec<String>,
    /// Whether its value is a closure.
    pub is_closure: bool,
    /// Whether a name is `mut`.
    pub is_mutable: bool,
    /// Whether the type of its value is evident from the source: one that any cell can write.
    pub is_evident: bool,
    /// The text of its pattern.
    pub pattern: String,
    /// The type, if the statement says one.
    pub of: Option<String>,
    /// The text of the value.
    pub value: Option<String>,
}

impl Let {
    /// Whether the statement says the whole type of its one variable.
    pub fn is_typed(&self) -> bool {
        let is_whole = |of: &String| !words(of).contains("_");
        let pattern = self.pattern.trim_start_matches("mut ");
        self.names == [pattern] && self.of.as_ref().is_some_and(is_whole)
    }
}

fn offset(bytes: usize) -> TextSize {
    TextSize::try_from(bytes).unwrap_or_default()
}

/// The words of `code`, of which each may be a name. Words in strings count, as format strings
/// capture variables; so do words in comments.
pub fn words(code: &str) -> HashSet<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.split(|c| !is_part(c))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether `code` contains `word` as a whole word. Strings count, as format strings capture
/// variables; so do comments.
pub fn mentions(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(is_part)
            && !code[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

/// Whether `text` is a name, and no keyword.
pub fn is_name(text: &str) -> bool {
    let file = SourceFile::parse(&format!("struct {text};"), EDITION);
    let is_word = text.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_word && text != "_" && file.errors().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_words() {
        for name in ["x", "größe_2", "_x", "String"] {
            assert!(is_name(name), "{name}");
        }
        for other in ["", "_", "1", "fn", "a b", "a.b", "a::b", "x;", "&x", "{}"] {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn results_of_a_call_without_a_type_annotation() {
        let code = "let a = m::f(\"x\"); let b: T = m::f(1); let mut c = ::m::f(g(2));\n\
                    let d = n::f(); let (e, _) = m::f(); { let h = m::f(); }";
        let ends = Statements::parse(code).untyped_results("m::f");
        let before: Vec<_> = ends.iter().map(|end| &code[..*end]).collect();
        assert_eq!(before[0], "let a");
        assert!(before[1].ends_with("let mut c"));
        assert_eq!(before.len(), 2);
    }

    #[test]
    fn names_are_bound_by_let() {
        let names =
            Statements::parse("let (a, mut b) = f(); let S { c, d: e } = s; { let x = 1; }")
                .bound_names();
        assert_eq!(names, ["a", "b", "c", "e"]);
    }

    #[test]
    fn a_let_is_read() {
        let code = "let x = 1; let (f, mut g): (A, B) = two(); let h = |x| x;";
        let read = Statements::parse(code).lets();
        let texts: Vec<_> = read.iter().map(|each| &code[each.range.clone()]).collect();
        assert_eq!(
            texts,
            [
                "let x = 1;",
                "let (f, mut g): (A, B) = two();",
                "let h = |x| x;"
            ]
        );
        assert_eq!(read[1].names, ["f", "g"]);
        assert_eq!(read[1].of.as_deref(), Some("(A, B)"));
        assert_eq!(read[2].of, None);
        assert_eq!([read[1].is_closure, read[2].is_closure], [false, true]);
        assert_eq!(read[2].value.as_deref(), Some("|x| x"));
    }

    #[test]
    fn a_let_says_the_whole_type_of_one_name() {
        let is_typed = |code: &str| Statements::parse(code).lets()[0].is_typed();
        for typed in ["let x: u8 = 1;", "let mut x: Vec<T> = f();", "let x: &str;"] {
            assert!(is_typed(typed), "{typed}");
        }
        for other in [
            "let x = 1;",
            "let x: Vec<_> = f();",
            "let (x, y): (A, B) = f();",
            "let (x, ..): (A, B) = f();",
            "let Some(x): Option<A> = f() else { return };",
            "let &x: &u8 = f();",
            "let ref x: u8 = f();",
            "let x @ A(..): A = f();",
        ] {
            assert!(!is_typed(other), "{other}");
        }
    }

    #[test]
    fn a_binding_is_told_from_an_effect() {
        let only_binds = |code| Statements::parse(code).only_binds();
        assert!(only_binds(
            "let (a, mut b) = f(); use std::fmt; let c = { g(); 1 };"
        ));
        for code in ["let a = 1; a.f();", "f!()", "x = 2;", "let a = 1; loop {}"] {
            assert!(!only_binds(code), "{code}");
        }
    }

    #[test]
    fn names_in_blocks_are_found() {
        let code =
            "let a = 1; { let (b, c) = (a, 2); } fn f() { let d = 3; } if let Some(e) = a {}";
        assert_eq!(Statements::parse(code).names_in_blocks(), ["b", "c", "d"]);
    }

    #[test]
    fn a_cell_runs_behind_its_attributes() {
        let start = |code| Statements::parse(code).start_of_run();
        assert_eq!(start("fn f() {} use a::b;"), None);
        assert_eq!(start("fn f() {} f()"), Some(0));
        assert_eq!(start("#![allow(warnings)]\nlet x = 1;"), Some(19));
    }

    #[test]
    fn an_await_counts_unless_the_code_makes_it_async_itself() {
        assert!(Statements::parse("f().await").awaits());
        assert!(!Statements::parse("block_on(async { f().await })").awaits());
        assert!(!Statements::parse("async fn g() { f().await }").awaits());
        assert!(Statements::parse("vec![f().await?; 3]").awaits());
        assert!(Statements::parse("println!(\"{}\", f().await)").awaits());
        assert!(Statements::parse("join! { let a = f().await; a }").awaits());
        assert!(!Statements::parse("vec![block_on(async { f().await })]").awaits());
        assert!(!Statements::parse("async { println!(\"{}\", f().await) }").awaits());
        assert!(!Statements::parse("println!(\"f().await\")").awaits());
    }

    #[test]
    fn words_are_found_in_format_strings_too() {
        assert!(mentions("println!(\"{v:?}\")", "v"));
        assert!(!mentions("vec![1]", "v"));
        assert!(mentions("v", "v"));
        assert!(!mentions("größe", "gr"));
    }

    #[test]
    fn items_are_told_from_statements() {
        let code = "use std::fmt;\nlet x = 1;\n/// Doc.\nfn f() {}\nprintln!();\nimpl A for B {}";
        assert_eq!(
            Statements::parse(code).items(),
            ["use std::fmt;", "/// Doc.\nfn f() {}", "impl A for B {}"]
        );
    }

    #[test]
    fn a_value_is_an_expression_at_the_end() {
        for (code, expected) in [
            ("let x = 1; x // why", Some("x")),
            ("x;", None),
            ("if x { 1 } else { 2 }", Some("if x { 1 } else { 2 }")),
            ("for i in 0..3 { show(i); }", None),
            ("let x = 1;", None),
            ("fn f() {}", None),
            ("vec![1]", Some("vec![1]")),
            ("", None),
        ] {
            let value = Statements::parse(code).value().map(|range| &code[range]);
            assert_eq!(value, expected, "{code:?}");
        }
    }
}
