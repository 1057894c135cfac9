//! The probes of one function.

mod ownership;
mod switch;
mod syntax;

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Block, Expr, Stmt};

use crate::edit::{Edits, inside};
use crate::find::Found;
use crate::function::{Function, Runtime};
use crate::mark::Options;
use ownership::{Owned, may_own};
pub(crate) use switch::can_be_switched;
use syntax::{attributes, binds_tightly, end, is_place, is_value, leaves, line};

/// Name of the counters in the code of a function.
const COUNTERS: &str = "MEMIT_FUNCTION";
/// Name of the value that lives while a body runs.
const GUARD: &str = "_memit_guard";
/// Name of the value whose drop is the end of a block.
const END: &str = "_memit_end";
/// Name of the value that lives while a function with a span runs.
const SPAN: &str = "_memit_span";

/// Renames what the probes define and the user's code mentions, too.
pub(crate) fn avoid_names_in(users: &str, edits: &mut Edits) {
    for name in [COUNTERS, GUARD, END, SPAN] {
        let mut free = name.to_owned();
        while users.contains(&free) {
            free.push('_');
        }
        if free != name {
            edits.rename(name, &free);
        }
    }
}

/// Puts a value into a function that begins a span at the call and ends the span at the return.
pub(crate) fn span(found: &Found<'_>, name: &str, runtime: Runtime<'_>, edits: &mut Edits) {
    let (open, _) = inside(found.block.brace_token.span.join());
    let (path, name) = (runtime.path, name.escape_default());
    edits.insert(open, format!(" let {SPAN} = {path}::phase(\"{name}\"); "));
}

/// Puts probes into a function. If `switched`, the function can also run without probes.
pub(crate) fn function(
    found: &Found<'_>,
    options: Options,
    runtime: Runtime<'_>,
    switched: bool,
    edits: &mut Edits,
) -> Function {
    let first = found.signature.span().start().line;
    let braces = found.block.brace_token.span;
    let (open, close) = inside(braces.join());
    let last = close.line;
    let start = edits.reserve(open);
    let owned = Owned::by_function(found, edits);
    let mut prober = Prober {
        edits,
        // No line is known to run yet, not even the line of the signature.
        around: 0,
        lines: Vec::new(),
        awaits: false,
    };
    prober.body(found.block, owned.owns());
    let mut lines = prober.lines;
    let name = found.name.clone();
    let path = runtime.path;
    let counter = |line: &Line| {
        let kind = if line.ends { "end" } else { "new" };
        format!("{path}::Line::{kind}({})", line.number)
    };
    let counters = lines.iter().map(counter).collect::<Vec<_>>().join(", ");
    let backend = options.backend.map_or_else(String::new, |backend| {
        format!(".charged_with({path}::Backend::{backend:?})")
    });
    let (guard, body, end) = match &owned.receiver {
        Some(receiver) => {
            let (body, end) = receiver.around(GUARD);
            ("&", body, end)
        }
        None => ("", String::new(), ""),
    };
    let is_switched = if switched { ".switched()" } else { "" };
    let counting = format!(
        "static {COUNTERS}: {path}::Function<{}> = \
         {path}::Function::new(\"{name}\", ::core::file!(), {first}, {last}, [{counters}]){backend}{is_switched};",
        lines.len(),
    );
    let rebound = owned.rebound();
    let begin = format!("let {GUARD} = {guard}{COUNTERS}.enter(); {body}{rebound}");
    let (open, end) = if switched {
        // A closure cannot be awaited.
        let closure = match (
            found.signature.asyncness,
            ownership::result(&found.signature.output),
        ) {
            (None, Some(result)) => format!("[move || -> {result}] "),
            _ => String::new(),
        };
        let open = format!(
            "{path}::switched!([{counting}] \
             [const {COUNTERS}: {path}::NoProbes = {path}::NoProbes;] {closure}{{ {begin}"
        );
        (open, format!("{end} }})"))
    } else {
        (format!("{counting} {begin}"), end.to_owned())
    };
    edits.fill(start, format!(" {open}"));
    edits.insert(close, end);
    lines.sort_unstable_by_key(|line| line.number);
    Function {
        name,
        first,
        last,
        lines: lines.iter().map(|line| line.number).collect(),
        options,
        switched,
    }
}

/// A line with a counter.
struct Line {
    number: usize,
    /// Whether the line holds nothing but the end of a block, where variables are dropped.
    ends: bool,
}

struct Prober<'e> {
    edits: &'e mut Edits,
    /// The line that is known to run at the current position of the visit.
    around: usize,
    /// The lines with probes, by the index of their counters.
    lines: Vec<Line>,
    /// Whether the visited body contains an `.await`.
    awaits: bool,
}

impl Prober<'_> {
    /// The index of the counters of a line.
    fn index(&mut self, number: usize, ends: bool) -> usize {
        let known = self.lines.iter().position(|known| known.number == number);
        let index = known.unwrap_or_else(|| {
            self.lines.push(Line { number, ends });
            self.lines.len() - 1
        });
        self.lines[index].ends &= ends;
        index
    }

    /// Code that calls a function of the runtime for a line.
    fn call(&mut self, function: &str, line: usize) -> String {
        format!("{GUARD}.{function}({})", self.index(line, false))
    }

    /// Puts a probe for a line in front of a statement. The probe has the statement's `cfg`s, so both
    /// are compiled or neither.
    fn statement(&mut self, statement: &Stmt, line: usize, function: &str) {
        let conditions: String = attributes(statement)
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .map(|attribute| attribute.to_token_stream().to_string().replace('\n', " "))
            .collect();
        let call = self.call(function, line);
        let start = statement.span().start();
        self.edits.insert(start, format!("{conditions}{call}; "));
        self.around = line;
    }

    /// A block that may run when the function does not: the body of a closure, or an `async` block.
    fn body_apart(&mut self, block: &Block, owned: &Owned) {
        let (open, _) = inside(block.brace_token.span.join());
        let start = self.edits.reserve(open);
        let before = self.edits.len();
        let awaits = std::mem::replace(&mut self.awaits, false);
        self.body(block, owned.owns());
        if self.edits.len() > before || self.awaits {
            let mut rebound = owned.rebound();
            if !rebound.is_empty() {
                rebound.insert(0, ' ');
            }
            self.edits.fill(
                start,
                format!(" let {GUARD} = {COUNTERS}.within();{rebound}"),
            );
        }
        self.awaits = awaits;
    }

    /// The statements of a block, and the end of the block if something may be dropped there.
    fn body(&mut self, block: &Block, owns: bool) {
        let around = self.around;
        let (_, close) = inside(block.brace_token.span.join());
        let owns = owns
            || block.stmts.iter().any(|statement| match statement {
                Stmt::Local(local) => may_own(local),
                _ => false,
            });
        let last_line = block.stmts.last().map_or(around, line);
        let ends = owns && close.line > last_line;
        for (at, statement) in block.stmts.iter().enumerate() {
            let is_last = at + 1 == block.stmts.len();
            let is_value = is_last && is_value(statement);
            if ends && is_value {
                // Declared last, so dropped first: other drops then count for the end of the block.
                let end = self.index(close.line, true);
                let start = statement.span().start();
                self.edits
                    .insert(start, format!("let {END} = {GUARD}.end({end}); "));
            }
            let line = line(statement);
            match statement {
                Stmt::Item(_) => continue,
                _ if line == self.around => {}
                // The header has a probe of its own.
                Stmt::Expr(Expr::While(_), _) => self.around = line,
                Stmt::Expr(Expr::ForLoop(_), _) => self.statement(statement, line, "here"),
                _ => self.statement(statement, line, "line"),
            }
            self.visit_stmt(statement);
            if ends && is_last && !is_value && !leaves(statement) {
                let end = self.index(close.line, true);
                self.edits.insert(close, format!("{GUARD}.line({end}); "));
            }
        }
        self.around = around;
    }

    /// Puts a probe in front of an expression that is no statement, if it starts on a line of its own.
    fn value(&mut self, value: &Expr) {
        let start = value.span().start();
        // A block probes its own statements.
        let wraps = start.line != self.around && !matches!(value, Expr::Block(_));
        if !wraps {
            return self.visit_expr(value);
        }
        let call = self.call("line", start.line);
        self.edits.insert(start, format!("{{ {call}; "));
        let around = std::mem::replace(&mut self.around, start.line);
        self.visit_expr(value);
        self.edits.insert(end(value), " }");
        self.around = around;
    }

    /// The body of a closure without a block. The closure may run when the function does not.
    fn value_apart(&mut self, value: &Expr, owned: &Owned, is_async: bool) {
        let start = self.edits.reserve(value.span().start());
        let before = self.edits.len();
        let awaits = std::mem::replace(&mut self.awaits, false);
        self.value(value);
        if self.edits.len() > before || (is_async && self.awaits) {
            let rebound = owned.rebound();
            self.edits.fill(
                start,
                format!("{{ let {GUARD} = {COUNTERS}.within(); {rebound}"),
            );
            self.edits.insert(end(value), " }");
        }
        self.awaits = awaits;
    }

    /// Counts each evaluation of a condition.
    fn condition(&mut self, condition: &Expr, line: usize) {
        // A `let` in an `&&` needs edition 2024.
        if let Expr::Let(binding) = condition
            && !is_place(&binding.expr)
        {
            let call = self.call("line", line);
            let start = binding.expr.span().start();
            let open = format!("{GUARD}.value({call}, ");
            self.edits.insert(start, open);
            self.visit_expr(&binding.expr);
            self.edits.insert(end(&binding.expr), ")");
            return;
        }
        let call = self.call("header", line);
        let parenthesis = if binds_tightly(condition) { "" } else { "(" };
        let open = format!("{call} && {parenthesis}");
        self.edits.insert(condition.span().start(), open);
        self.visit_expr(condition);
        if !parenthesis.is_empty() {
            self.edits.insert(end(condition), ")");
        }
    }

    /// A block whose beginning belongs to `line`, which has a probe already.
    fn block_within(&mut self, block: &Block, line: usize) {
        let around = std::mem::replace(&mut self.around, line);
        self.visit_block(block);
        self.around = around;
    }
}

impl<'ast> Visit<'ast> for Prober<'_> {
    fn visit_block(&mut self, block: &'ast Block) {
        self.body(block, false);
    }

    fn visit_expr_for_loop(&mut self, each: &'ast syn::ExprForLoop) {
        let line = each.for_token.span.start().line;
        let open = format!("{GUARD}.each({}, ", self.index(line, false));
        self.edits.insert(each.expr.span().start(), open);
        self.visit_expr(&each.expr);
        self.edits.insert(end(&each.expr), ")");
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
        self.value(&arm.body);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let owned = Owned::by_closure(closure);
        match &*closure.body {
            Expr::Block(body) => self.body_apart(&body.block, &owned),
            body => self.value_apart(body, &owned, closure.asyncness.is_some()),
        }
    }

    fn visit_expr_async(&mut self, apart: &'ast syn::ExprAsync) {
        self.body_apart(&apart.block, &Owned::default());
    }

    fn visit_expr_await(&mut self, awaited: &'ast syn::ExprAwait) {
        self.awaits = true;
        let line = if self.around == 0 {
            awaited.span().start().line
        } else {
            self.around
        };
        let open = format!("{GUARD}.awaited({}, ", self.index(line, false));
        self.edits.insert(awaited.base.span().start(), open);
        self.visit_expr(&awaited.base);
        self.edits.insert(end(&awaited.base), ")");
    }

    // The compiler evaluates constants.
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
}
