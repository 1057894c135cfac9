//! The probes of one function.

use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Block, Expr, Stmt};

use crate::edit::Edits;
use crate::find::Found;
use crate::{Function, Runtime};

/// By this name the code of a function knows its counters.
const COUNTERS: &str = "MEMIT_FUNCTION";

/// Puts probes into a function.
pub(crate) fn function(found: &Found<'_>, runtime: Runtime<'_>, edits: &mut Edits<'_>) -> Function {
    let first = found.signature.span().start().line;
    let braces = found.block.brace_token.span;
    let last = braces.close().end().line;
    let start = edits.reserve(braces.open().end());
    let mut prober = Prober {
        edits,
        // What stands on the line of the signature is a line that runs, too.
        around: 0,
        lines: Vec::new(),
    };
    prober.visit_block(found.block);
    let mut lines = prober.lines;
    let name = found.name.clone();
    let path = runtime.path;
    let counter = |line: &usize| format!("{path}::Line::new({line})");
    let counters = lines.iter().map(counter).collect::<Vec<_>>().join(", ");
    edits.fill(
        start,
        format!(
            " static {COUNTERS}: {path}::Function<{}> = \
             {path}::Function::new(\"{name}\", {first}, {last}, [{counters}]); \
             let _memit_guard = {COUNTERS}.enter(); ",
            lines.len(),
        ),
    );
    lines.sort_unstable();
    Function {
        name,
        first,
        last,
        lines,
    }
}

struct Prober<'e, 's> {
    edits: &'e mut Edits<'s>,
    /// The line that is known to run where the visit is.
    around: usize,
    /// Those with probes, by the index of their counters.
    lines: Vec<usize>,
}

impl Prober<'_, '_> {
    /// The index of the line's counters.
    fn index(&mut self, line: usize) -> usize {
        let known = self.lines.iter().position(|known| *known == line);
        known.unwrap_or_else(|| {
            self.lines.push(line);
            self.lines.len() - 1
        })
    }

    /// A call of the runtime about a line.
    fn call(&mut self, function: &str, line: usize) -> String {
        format!("{COUNTERS}.{function}({})", self.index(line))
    }

    /// Puts a probe for the line `line` in front of a statement. Where the statement is left out
    /// of the program, the probe is, too.
    fn statement(&mut self, statement: &Stmt, line: usize, function: &str) {
        let conditions: String = attributes(statement)
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .map(|attribute| {
                let span = attribute.span();
                let text = self.edits.text(span.start(), span.end());
                text.replace('\n', " ")
            })
            .collect();
        let call = self.call(function, line);
        let start = statement.span().start();
        self.edits.insert(start, format!("{conditions}{call}; "));
        self.around = line;
    }

    /// Gives an expression that stands where there is no statement a probe, if it is on another
    /// line.
    fn body(&mut self, body: &Expr) {
        let start = body.span().start();
        let around = self.around;
        // A block probes its own statements.
        let wraps = start.line != around && !matches!(body, Expr::Block(_));
        if wraps {
            let call = self.call("line", start.line);
            self.edits.insert(start, format!("{{ {call}; "));
            self.around = start.line;
        }
        self.visit_expr(body);
        if wraps {
            self.edits.insert(body.span().end(), " }");
        }
        self.around = around;
    }

    /// Counts a condition each time it is worked out.
    fn condition(&mut self, condition: &Expr, line: usize) {
        let call = self.call("header", line);
        let parenthesis = if binds_tightly(condition) { "" } else { "(" };
        let open = format!("{call} && {parenthesis}");
        self.edits.insert(condition.span().start(), open);
        self.visit_expr(condition);
        if !parenthesis.is_empty() {
            self.edits.insert(condition.span().end(), ")");
        }
    }

    /// A block on whose first line `line` runs already.
    fn block_within(&mut self, block: &Block, line: usize) {
        let around = std::mem::replace(&mut self.around, line);
        self.visit_block(block);
        self.around = around;
    }
}

/// Whether `a && condition` means `a && (condition)`; a `let` must have no parentheses.
fn binds_tightly(condition: &Expr) -> bool {
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

/// The attributes of a declaration or a macro.
fn attributes(statement: &Stmt) -> &[syn::Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(called) => &called.attrs,
        _ => &[],
    }
}

/// The line on which a statement starts, apart from its attributes.
fn line(statement: &Stmt) -> usize {
    let span = match statement {
        Stmt::Local(local) => local.let_token.span,
        Stmt::Macro(called) => called.mac.path.span(),
        other => other.span(),
    };
    span.start().line
}

impl<'ast> Visit<'ast> for Prober<'_, '_> {
    fn visit_block(&mut self, block: &'ast Block) {
        let around = self.around;
        for statement in &block.stmts {
            let line = line(statement);
            match statement {
                Stmt::Item(_) => continue,
                _ if line == self.around => {}
                // The header counts by itself.
                Stmt::Expr(Expr::While(_), _) => self.around = line,
                Stmt::Expr(Expr::ForLoop(_), _) => self.statement(statement, line, "here"),
                _ => self.statement(statement, line, "line"),
            }
            self.visit_stmt(statement);
        }
        self.around = around;
    }

    fn visit_expr_for_loop(&mut self, each: &'ast syn::ExprForLoop) {
        let line = each.for_token.span.start().line;
        let open = format!("{COUNTERS}.each({}, ", self.index(line));
        self.edits.insert(each.expr.span().start(), open);
        self.visit_expr(&each.expr);
        self.edits.insert(each.expr.span().end(), ")");
        self.block_within(&each.body, line);
    }

    fn visit_expr_while(&mut self, each: &'ast syn::ExprWhile) {
        let line = each.while_token.span.start().line;
        self.condition(&each.cond, line);
        self.block_within(&each.body, line);
    }

    fn visit_expr_if(&mut self, choice: &'ast syn::ExprIf) {
        let line = choice.if_token.span.start().line;
        if line == self.around {
            self.visit_expr(&choice.cond);
        } else {
            self.condition(&choice.cond, line);
        }
        self.block_within(&choice.then_branch, line);
        if let Some((_, otherwise)) = &choice.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if let Some((_, guard)) = &arm.guard {
            self.visit_expr(guard);
        }
        self.body(&arm.body);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.body(&closure.body);
    }

    // A constant is worked out by the compiler.
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
}
