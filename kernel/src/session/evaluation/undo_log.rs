//! Logs how cells change the session, so that `%undo` can go back.
//!
//! A checkpoint restores the values of variables. evcxr's knowledge of items and dependencies is
//! outside the checkpoint; it is rebuilt from this log.

use std::fmt::Write as _;

use memit_magics::cell;

use super::implementations::Implementations;
use super::item_calls::ItemCalls;
use super::{self_imports, value};
use crate::session::engine::{Engine, EvaluationError, Snapshot};
use crate::session::errors::CellError;

/// The evaluated sources of a session, and the cells that evaluated them.
#[derive(Default)]
pub(crate) struct UndoLog {
    /// The sources that were evaluated without an error.
    sources: Vec<String>,
    /// The cells that changed the session, oldest first.
    cells: Vec<UndoPoint>,
    /// The running cell.
    current: Option<UndoPoint>,
    /// The implementations in these sources.
    implementations: Implementations,
    /// The macros in these sources, and their calls that make items.
    item_calls: ItemCalls,
    /// The number of cells so far.
    count: u64,
    /// Whether there may be types that display themselves, apart from those of dependencies.
    may_display: bool,
    depends: Depends,
    /// Whether the session has been cleared.
    is_cleared: bool,
}

/// What is known of the dependencies of the session.
#[derive(Debug, Default, PartialEq, Eq)]
enum Depends {
    #[default]
    None,
    /// No value has been shown since a dependency was added.
    New,
    /// The compiler has seen them all.
    Known,
}

/// The session at the start of a cell.
#[derive(Debug, Clone)]
struct UndoPoint {
    number: u64,
    /// The number of evaluated sources.
    sources: usize,
    variables: Snapshot,
    item_calls: ItemCalls,
}

impl UndoLog {
    /// Called when a cell starts; returns its number.
    pub(crate) fn begin_cell(&mut self, engine: &Engine) -> u64 {
        self.count += 1;
        self.current = Some(UndoPoint {
            number: self.count,
            sources: self.sources.len(),
            variables: engine.snapshot(),
            item_calls: self.item_calls.clone(),
        });
        self.count
    }

    /// Whether the session may have types that display themselves, including types from `source`,
    /// which is about to be evaluated. `of_dependencies` says what the compiler knows of dependencies.
    pub(crate) fn may_display(
        &mut self,
        source: &str,
        of_dependencies: impl FnOnce() -> Option<bool>,
    ) -> bool {
        self.may_display |= value::changes_display(source);
        if value::adds_dependency(source) {
            self.depends = Depends::New;
        }
        self.may_display
            || match self.depends {
                Depends::None => false,
                Depends::New => true,
                Depends::Known => of_dependencies().unwrap_or(true),
            }
    }

    /// The implementations that evcxr knows.
    pub(crate) fn implementations(&self) -> &Implementations {
        &self.implementations
    }

    /// Called when evcxr knows these implementations.
    pub(crate) fn implemented(&mut self, implementations: Implementations) {
        self.implementations = implementations;
    }

    /// The macros and the calls that evcxr keeps.
    pub(crate) fn item_calls(&self) -> &ItemCalls {
        &self.item_calls
    }

    /// A source as evcxr receives it to check it, and a map of its lines to those of the source.
    pub(crate) fn rewritten(&self, source: &str) -> (String, impl Fn(usize) -> usize + use<>) {
        let spelt_out = self_imports::spelt_out(source);
        let kept = self.item_calls.keep(&spelt_out.source).rewritten;
        let marked = self.implementations.mark(&kept.source).rewritten;
        let source = marked.source.clone();
        (source, move |line| {
            spelt_out.line(kept.line(marked.line(line)))
        })
    }

    /// Called when it is known that some macros make statements.
    pub(crate) fn learned(&mut self, item_calls: ItemCalls) {
        self.item_calls = item_calls;
    }

    /// Called when the cell has evaluated a source.
    pub(crate) fn evaluated(&mut self, source: &str) {
        // With its calls in constants, which are items.
        let spelt_out = self_imports::spelt_out(source);
        let kept = self.item_calls.keep(&spelt_out.source);
        self.sources.push(kept.rewritten.source);
        self.item_calls = kept.calls;
        let is_value = || cell::rust(source).value().is_some();
        if self.depends == Depends::New && !value::adds_dependency(source) && is_value() {
            self.depends = Depends::Known;
        }
    }

    /// Called when the cell has ended.
    pub(crate) fn end_cell(&mut self) {
        let changed = |cell: &UndoPoint| cell.sources < self.sources.len();
        self.cells.extend(self.current.take().filter(changed));
    }

    /// Called when the session has been cleared, in a cell that may go on.
    pub(crate) fn cleared(&mut self) {
        let current = self.current.take().map(|cell| UndoPoint {
            number: cell.number,
            sources: 0,
            variables: Snapshot::default(),
            item_calls: ItemCalls::default(),
        });
        *self = Self {
            current,
            count: self.count,
            is_cleared: true,
            ..Self::default()
        };
    }

    /// How many cells `%undo` can take back, one after the other. `checkpoints` are the cells that
    /// have one.
    pub(crate) fn undos(&self, checkpoints: &[u64]) -> usize {
        let cells = self.cells.iter().rev();
        cells
            .take_while(|cell| checkpoints.contains(&cell.number))
            .count()
    }

    /// Whether there is a cell to undo.
    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Takes the session back to the start of the last cell that changed it. Returns the text to
    /// show.
    pub(crate) fn undo(&mut self, engine: &mut Engine) -> Result<String, CellError> {
        let current = self.current.as_ref();
        if current.is_some_and(|cell| cell.sources < self.sources.len()) {
            let message = "the cell that contains `%undo` must not change the session before it";
            return Err(CellError::new("UndoError", message));
        }
        let Some(cell) = self.cells.last().cloned() else {
            let message = if self.is_cleared {
                "there is no cell to undo: the session was cleared"
            } else {
                "there is no cell to undo"
            };
            return Err(CellError::new("UndoError", message));
        };
        let failed = |failure: EvaluationError| failure.into_error("", &[], |_| None);
        if !engine.undo(cell.number, &cell.variables).map_err(failed)? {
            let message = "the last cell that changed the session has no checkpoint";
            return Err(CellError::new("UndoError", message)
                .with_note("help: `%session` shows since when, and why cells have no checkpoint"));
        }
        self.cells.pop();
        self.sources.truncate(cell.sources);
        if let Some(current) = &mut self.current {
            current.sources = cell.sources;
        }
        let (recollection, implementations) = self.recollection();
        engine.evaluate_passing(&recollection).map_err(failed)?;
        self.implementations = implementations;
        self.item_calls = cell.item_calls;
        let names = engine.variables();
        Ok(match names.as_slice() {
            [] => "The session is as it was before its last cell: no variables.".to_owned(),
            names => format!(
                "The session is as it was before its last cell. Variables: {}.",
                names.join(", ")
            ),
        })
    }

    /// Code that makes the session's dependencies and items known to evcxr, and the implementations
    /// that evcxr knows then.
    fn recollection(&self) -> (String, Implementations) {
        let mut source = String::new();
        let mut implementations = Implementations::default();
        for command in self.sources.iter().flat_map(|source| dependencies(source)) {
            let _ = writeln!(source, "{command}");
        }
        for evaluated in &self.sources {
            let items = cell::rust(evaluated).items().join("\n");
            let marked = implementations.mark(&items);
            let _ = writeln!(source, "{}", marked.rewritten.source);
            implementations = marked.implementations;
        }
        (source, implementations)
    }
}

/// The `:dep` lines of a source.
fn dependencies(source: &str) -> impl Iterator<Item = &str> {
    let (commands, _) = cell::split_commands(source);
    commands
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(":dep "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_and_items_are_recollected() {
        let mut undo_log = UndoLog::default();
        undo_log.evaluated(":dep regex\n\nuse regex::Regex;\nlet x = 1;");
        undo_log.evaluated("fn f() {}\nlet mut y = f();");
        insta::assert_snapshot!(undo_log.recollection().0, @r"
        :dep regex
        use regex::Regex;
        fn f() {}
        ");
    }
}
