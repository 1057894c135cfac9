//! The user's Rust in a magic, and the Rust around it that measures.

use std::fmt::Write as _;
use std::ops::Range;

use memit_session::abi::Plan;

use crate::cell::syntax::{Statements, mentions};
use crate::cell::value;
use crate::magic::SessionVariable;

/// A piece of Rust as it stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    text: String,
    start: usize,
    /// Line of the cell on which it starts, from 1.
    line: usize,
    /// Characters of that line before it.
    column: usize,
}

impl Snippet {
    /// The bytes `range` of `cell`.
    pub fn new(cell: &str, range: Range<usize>) -> Self {
        let before = &cell[..range.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            text: cell[range.clone()].to_owned(),
            start: range.start,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count(),
        }
    }

    /// The bytes `range` of the snippet.
    pub(crate) fn piece(&self, range: Range<usize>) -> Self {
        let before = &self.text[..range.start];
        let breaks = before.matches('\n').count();
        let in_line = before.rsplit('\n').next().unwrap_or_default();
        let column = in_line.chars().count();
        Self {
            text: self.text[range.clone()].to_owned(),
            start: self.start + range.start,
            line: self.line + breaks,
            column: if breaks == 0 {
                self.column + column
            } else {
                column
            },
        }
    }

    /// The snippet with another text in place of its own. Line `n` of the text stands for line `n` of the
    /// snippet.
    pub(crate) fn with_text(&self, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..self.clone()
        }
    }

    /// The Rust.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which bytes of the cell it is.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Whether there is nothing but space and comments in it.
    pub fn is_blank(&self) -> bool {
        Statements::parse(&self.text).is_blank()
    }

    /// Whether the Rust needs a runtime, because it `.await`s.
    pub(crate) fn awaits(&self) -> bool {
        Statements::parse(&self.text).awaits()
    }
}

/// What a snippet finds in the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Names of the session's variables.
    pub variables: Vec<String>,
    /// The session's variables with their types, in the order in which cells have made them.
    pub session: Vec<SessionVariable>,
    /// Why the session cannot be forked, if it cannot.
    pub cannot_fork: Option<String>,
    /// Whether tokio is a dependency of the session.
    pub has_tokio: bool,
    /// Whether executions may be set up in batches.
    pub batches: bool,
    /// The number of a magic in a block, and the Rust of texts that say for which values of variables.
    pub placed: Option<(u32, String)>,
}

impl Scope {
    /// Whether snippets run in forks of the session.
    pub fn isolated(&self) -> bool {
        self.cannot_fork.is_none()
    }

    /// Variables that the snippets mention.
    pub(crate) fn used_by<'a>(&'a self, snippets: &[&Snippet]) -> Vec<&'a str> {
        self.variables
            .iter()
            .map(String::as_str)
            .filter(|name| {
                snippets
                    .iter()
                    .any(|snippet| mentions(snippet.text(), name))
            })
            .collect()
    }
}

/// Rust that is ready to be compiled, and where the user's lines are in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generated {
    /// The Rust.
    pub source: String,
    /// Which of its lines are the user's. Columns are the same on both sides.
    pub lines: Vec<LineSpan>,
    /// Whether it sets up executions in batches, which statements that change variables of the
    /// session do not permit: code without batches may compile if this does not.
    pub in_batches: bool,
}

/// Consecutive lines that the user wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSpan {
    /// First line in the generated code, from 1.
    pub generated: usize,
    /// First line in the cell, from 1.
    pub cell: usize,
    /// How many lines.
    pub count: usize,
}

impl Generated {
    /// Adds code of ours, as lines of its own.
    pub(crate) fn code(&mut self, code: &str) -> &mut Self {
        self.source.push_str(code.trim_end());
        self.source.push('\n');
        self
    }

    /// Adds what `write` adds, between `before` and `after`, which open and close a block.
    pub(crate) fn around(
        &mut self,
        before: &str,
        after: &str,
        write: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.code(before);
        write(self);
        self.code(after)
    }

    /// Adds the user's code on lines of its own, each character in its column.
    pub(crate) fn snippet(&mut self, snippet: &Snippet) -> &mut Self {
        self.lines.push(LineSpan {
            generated: self.source.matches('\n').count() + 1,
            cell: snippet.line,
            count: snippet.text.matches('\n').count() + 1,
        });
        let _ = write!(self.source, "{:1$}{2}", "", snippet.column, snippet.text);
        self.source.push('\n');
        self
    }

    /// Adds other generated code.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        let before = self.source.matches('\n').count();
        self.lines.extend(other.lines.iter().map(|span| LineSpan {
            generated: span.generated + before,
            ..*span
        }));
        self.source.push_str(&other.source);
        self
    }

    /// Turns each `§name` of our lines into a name that the user's lines do not mention.
    pub(crate) fn name_our_own(&mut self) {
        let users = self.users();
        let mut prefix = "memit_own_".to_owned();
        while users.contains(&prefix) {
            prefix.push('_');
        }
        let lines = self.source.lines().enumerate();
        let named = lines.map(|(at, line)| match self.cell_line(at + 1) {
            Some(_) => line.to_owned(),
            None => line.replace(OUR_OWN, &prefix),
        });
        self.source = named.map(|line| line + "\n").collect();
    }

    /// The user's lines alone.
    pub fn users(&self) -> String {
        let lines = self.source.lines().enumerate();
        let users = lines.filter(|(at, _)| self.cell_line(at + 1).is_some());
        users.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
    }

    /// The line of the cell that a generated line shows; `None` if it is not the user's.
    pub fn cell_line(&self, generated: usize) -> Option<usize> {
        self.lines
            .iter()
            .find(|span| (span.generated..span.generated + span.count).contains(&generated))
            .map(|span| span.cell + generated - span.generated)
    }
}

/// Marks generated code as a measurement, in a block of its own. User code has no reason to contain
/// this line.
pub const MEASUREMENT: &str = "use ::memit_session::harness as memit_harness;";

/// Stands before the names of our own variables, which must not clash with names of the user.
const OUR_OWN: char = '§';

/// Whether functions with `#[profile]` are phases in this generated code: memory over time has phases,
/// not lines.
pub fn has_phases(source: &str) -> bool {
    source.contains(MEASUREMENT) && source.contains("Plan::Timeline(")
}

/// Whether this generated code lists the variables of the session. The variables stay in the store then, although their
/// names stand in the code.
pub fn lists_variables(source: &str) -> bool {
    source.contains(MEASUREMENT) && source.contains("Plan::Variables")
}

/// The code that measures what `write` makes of the snippets. In a fork, this code works on bitwise copies
/// of the session's variables, which are never dropped.
pub(crate) fn measurement(
    plan: &Plan,
    snippets: &[&Snippet],
    scope: &Scope,
    write: impl FnOnce(&mut Generated),
) -> Generated {
    let plan = expression(plan);
    let mut generated = Generated::default();
    let needs_tokio = !scope.has_tokio && snippets.iter().any(|snippet| snippet.awaits());
    if needs_tokio && scope.placed.is_none() {
        generated.code(TOKIO);
    }
    let measure = match &scope.placed {
        Some((number, places)) => {
            format!("measure_placed({plan}, {number}, &[{places}]")
        }
        None => format!("harness::measure({plan}"),
    };
    generated.around(
        &format!(
            "#[allow(warnings)] let _ = {{\n{{ {MEASUREMENT} }}\n\
             ::memit_session::{measure}, &mut || {{"
        ),
        "});\n};",
        |generated| {
            let copied = scope.used_by(snippets).into_iter();
            for name in copied.filter(|_| scope.isolated()) {
                generated.code(&format!(
                    "let mut {name} = unsafe {{ ::std::ptr::read(&raw const {name}) }};"
                ));
            }
            generated.code("let mut §guard = ::memit_session::harness::Guard::new();");
            write(generated);
            generated.code("::memit_session::harness::Guard::finish(&mut §guard);\n::memit_session::harness::finished()");
        },
    );
    if scope.placed.is_none() {
        generated.name_our_own();
    }
    generated
}

/// The dependency with which evcxr runs a cell that awaits.
pub(crate) const TOKIO: &str =
    ":dep tokio = { version = \"1.34.0\", features = [\"rt\", \"rt-multi-thread\"] }";

/// The code that measures the cell in which it stands.
pub(crate) fn measurement_of_cell(plan: &Plan) -> Generated {
    let plan = expression(plan);
    let mut generated = Generated::default();
    generated.code(&format!(
        "#[allow(warnings)] let _ = {{ {{ {MEASUREMENT} }} ::memit_session::harness::measure_cell({plan}); }};"
    ));
    generated
}

/// The code that lists the variables of the session, says of each of their types how a value is shown, and measures
/// the variables. A cell has given up each variable whose type reaches a definition that has changed, so the types
/// are those of the values.
pub(crate) fn measurement_of_variables(scope: &Scope) -> Generated {
    const LISTING: &str = "::memit_session::listing";
    let plan = expression(&Plan::Variables);
    let mut types: Vec<&str> = Vec::new();
    let mut variables = String::new();
    for variable in &scope.session {
        let of = types.iter().position(|known| *known == variable.written);
        let of = of.unwrap_or_else(|| {
            types.push(&variable.written);
            types.len() - 1
        });
        let _ = write!(variables, "({:?}, {of}), ", variable.name);
    }
    let mut generated = Generated::default();
    generated.code(&format!(
        "#[allow(warnings)] let _ = {{\n{{ {MEASUREMENT} }}\n\
         use {LISTING}::{{ByDebug as _, ByDisplay as _, ByNothing as _}};\n\
         let §variables: &[(&str, usize)] = &[{variables}];"
    ));
    generated.around("let §types: &[::memit_session::listing::Type] = &[", "];", |generated| {
        for of in types {
            generated.code(&format!(
                "{LISTING}::Type::of::<{of}>((&&&{LISTING}::Way::<{of}>(::std::marker::PhantomData)).memit_way()),"
            ));
        }
    });
    generated.code(&format!(
        "let mut §list = None;\n\
         ::memit_session::harness::measure({plan}, &mut || {{ §list = Some(unsafe {{ \
         {LISTING}::list(§variables, §types) }}); ::memit_session::harness::finished() }});\n}};"
    ));
    generated.name_our_own();
    generated
}

/// Statements whose cell is measured until their value exists.
pub(crate) fn measured_in_cell(plan: &Plan, snippets: &[&Snippet]) -> Generated {
    const END: &str = "::memit_session::harness::cell_measured();";
    let mut generated = measurement_of_cell(plan);
    value::kept(&mut generated, snippets, END);
    generated.name_our_own();
    generated
}

fn expression(plan: &Plan) -> String {
    format!(
        "{{ use ::memit_session::abi::plan::*; {} }}",
        plan.to_rust()
    )
}

/// The statements that are measured, and the calls that say when: their value is still alive at
/// the peak.
pub(crate) fn measured(generated: &mut Generated, body: &[&Snippet]) {
    let (open, close) = runtime(generated, body);
    generated.code("::memit_session::harness::memit_begin();");
    generated.around(
        &format!("::memit_session::harness::apart(|| {open}"),
        &format!("::memit_session::harness::memit_value_dropped();\n{OK}\n{close})?;"),
        |generated| {
            value::used(
                generated,
                body,
                false,
                "let §value = ::std::hint::black_box(§value);\n\
                 ::memit_session::harness::memit_value_alive();\n\
                 ::memit_session::harness::look_at_value(&§value);\n\
                 ::std::mem::drop(§value);",
            );
        },
    );
}

/// The end of a block that `?` may leave.
pub(crate) const OK: &str = "::memit_session::harness::finished()";

/// Makes a runtime like that of a cell if the statements need one. Returns what opens and closes a block of
/// statements.
pub(crate) fn runtime(
    generated: &mut Generated,
    body: &[&Snippet],
) -> (&'static str, &'static str) {
    if !body.iter().any(|snippet| snippet.awaits()) {
        return ("{", "}");
    }
    // The first use of a runtime allocates, too.
    generated.code(RUNTIME).code("§runtime.block_on(async {});");
    ("§runtime.block_on(async {", "})")
}

/// Makes a runtime for statements that `.await`.
pub(crate) const RUNTIME: &str = "let §runtime = ::tokio::runtime::Runtime::new()?;";

/// Statements, one snippet after the other.
pub(crate) fn in_sequence(generated: &mut Generated, snippets: &[&Snippet]) {
    for (at, snippet) in snippets.iter().enumerate() {
        generated.snippet(snippet);
        if at + 1 < snippets.len() {
            generated.code(";");
        }
    }
}

/// Why a compile error about a moved or changed variable arises in place.
pub(crate) fn explain_in_place(error_code: &str, scope: &Scope) -> Option<String> {
    let moved = ["E0382", "E0505", "E0507"].contains(&error_code);
    let changed = ["E0594", "E0596"].contains(&error_code);
    let why = scope.cannot_fork.as_ref().filter(|_| moved || changed);
    why.map(|why| {
        format!(
            "the session cannot be forked ({why}), so the snippet runs in the session itself, where \
             it {}. Work on a clone of it; `%session` names the cell that started the threads",
            if moved {
                "cannot consume a session variable"
            } else {
                "cannot change a variable that is not `mut`"
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_lines_keep_their_columns_and_know_their_cell() {
        let cell = "%%memit let é = 1;\nfoo(é)\nbar()";
        let mut generated = Generated::default();
        generated.code("{");
        generated.snippet(&Snippet::new(cell, 8..19));
        generated.code(";");
        generated.snippet(&Snippet::new(cell, 20..cell.len()));
        assert_eq!(
            generated.source,
            "{\n        let é = 1;\n;\nfoo(é)\nbar()\n"
        );
        let lines: Vec<_> = (1..=6).map(|line| generated.cell_line(line)).collect();
        assert_eq!(lines, [None, Some(1), None, Some(2), Some(3), None]);
    }

    #[test]
    fn our_own_names_are_none_that_the_user_mentions() {
        let generated_for = |cell: &str| {
            let mut generated = Generated::default();
            generated.code("let §guard = 1;");
            generated.snippet(&Snippet::new(cell, 0..cell.len()));
            generated.code("§guard;");
            generated.name_our_own();
            generated.source
        };
        assert_eq!(
            generated_for("memit_guard + \"§\""),
            "let memit_own_guard = 1;\nmemit_guard + \"§\"\nmemit_own_guard;\n"
        );
        assert_eq!(
            generated_for("memit_own_guard"),
            "let memit_own__guard = 1;\nmemit_own_guard\nmemit_own__guard;\n"
        );
    }

    #[test]
    fn only_variables_that_the_snippet_mentions_are_used() {
        let scope = Scope {
            variables: vec!["v".into(), "w".into()],
            batches: true,
            ..Scope::default()
        };
        let snippet = Snippet::new("vw(v)", 0..5);
        assert_eq!(scope.used_by(&[&snippet]), ["v"]);
    }
}
