//! The session: evaluates cells, which share variables, items and dependencies.
//!
//! The Jupyter kernel, `memit run` and `memit eval` use it, so it knows nothing of Jupyter's
//! protocol.

mod commands;
mod describe;
mod editor;
mod engine;
mod errors;
mod evaluation;
mod files;
mod history;
mod io;
mod magic;
mod measure;
mod nested;
mod parts;
mod shared_dependencies;
mod variable_list;

pub(crate) use editor::{Completions, Match, Problem, complete_magic, completeness, inspect_magic};
pub(crate) use engine::Interrupter;
pub(crate) use errors::CellError;
pub(crate) use io::{Input, MimeBundle, NoAnswer, NoInput, Output, Question, Stream};

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use memit_magics::result::CellCost;

use engine::Engine;
use evaluation::{CostLog, UndoLog};
use measure::PlacedMagics;

/// A Rust session.
pub(crate) struct Session {
    engine: Engine,
    /// The source of the cells so far, oldest first, to find the line of a panic.
    cells: Vec<String>,
    /// The numbers that front-ends show for the cells.
    numbers: Vec<u64>,
    undo_log: UndoLog,
    /// The magics in blocks of the cells.
    placed: PlacedMagics,
    costs: CostLog,
    /// How many magics that run cells are running, one within the other.
    depth: usize,
}

impl Session {
    /// Starts a session with its compiler. Takes seconds.
    ///
    /// # Errors
    ///
    /// If the compiler is missing or broken, or a process cannot be started.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let engine = Engine::start()?;
        let placed = PlacedMagics::new(engine.directory().to_owned());
        engine.show_placed_by(placed.shower());
        Ok(Self {
            engine,
            cells: Vec::new(),
            numbers: Vec::new(),
            undo_log: UndoLog::default(),
            placed,
            costs: CostLog::new(),
            depth: 0,
        })
    }

    /// Nobody types: a cell that reads standard input is at its end at once.
    pub(crate) fn close_input(&self) {
        self.engine.close_input();
    }

    /// Lets the analyser read the library and the dependencies in the background.
    pub(crate) fn prepare_analyser(&mut self) {
        self.engine.prepare_analyser();
    }

    /// Whether the analyser knows the dependencies, or has been told to read them.
    pub(crate) fn is_prepared(&self) -> bool {
        self.engine.is_prepared()
    }

    /// Evaluates the cell that front-ends show as `number`. `input` answers its questions. Returns
    /// when `output` has received all of its output.
    ///
    /// # Errors
    ///
    /// If the cell fails; the session is then as it was before the cell, where that is possible.
    pub(crate) fn execute(
        &mut self,
        number: u64,
        code: &str,
        output: &Arc<dyn Output>,
        input: &Arc<dyn Input>,
    ) -> Result<(), CellError> {
        let started = Instant::now();
        let code = &*self.apart(code);
        self.cells.push(code.to_owned());
        self.numbers.push(number);
        let counted = self.undo_log.begin_cell(&self.engine);
        let input = Arc::clone(input);
        let begun = self.engine.begin_cell(counted, number, output, input);
        let watch = self.engine.watch_builds(output);
        let result = match begun {
            Ok(()) => self.execute_parts(code, output, true),
            Err(error) => Err(error.into_error(code, &self.cells, |_| None)),
        };
        drop(watch);
        self.undo_log.end_cell();
        self.engine.end_cell();
        let cost = CellCost {
            cell: number,
            succeeded: result.is_ok(),
            source: first_line(code).to_owned(),
            ..self.engine.spent().cost(started.elapsed())
        };
        self.costs.add(cost, output.as_ref());
        let questions = self.engine.questions();
        match result {
            result if questions.refused() => questions.outcome(result),
            // Another error may be a consequence of the interrupt, so the interrupt is reported.
            Err(error) if error.ename == CellError::INTERRUPTED => Err(error),
            _ if self.engine.interrupted() => Err(CellError::interrupted()),
            result => result,
        }
    }

    /// What the cells have cost.
    pub(crate) fn costs(&mut self) -> &mut CostLog {
        &mut self.costs
    }

    /// The problems that the compiler finds in a cell, which is neither run nor kept.
    pub(crate) fn check(&mut self, code: &str) -> Vec<Problem> {
        editor::check(&mut self.engine, code, |source| {
            self.undo_log.rewritten(source)
        })
    }

    /// Completions of Rust at `cursor`, in Unicode code points, or `Pending` if the analyser has not found
    /// them after `patience`. Asking once more goes on with waiting.
    pub(crate) fn complete(
        &mut self,
        code: &str,
        cursor: usize,
        patience: Duration,
    ) -> Poll<Completions> {
        editor::complete(&mut self.engine, code, cursor, patience)
    }

    /// The documentation of the name in Rust at `cursor`, in Unicode code points, or `Pending` if the
    /// analyser has not found it after `patience`. Asking once more goes on with waiting.
    pub(crate) fn inspect(
        &mut self,
        code: &str,
        cursor: usize,
        patience: Duration,
    ) -> Poll<Option<MimeBundle>> {
        editor::inspect(&mut self.engine, code, cursor, patience)
    }

    /// A handle that interrupts the running cell.
    pub(crate) fn interrupter(&self) -> Interrupter {
        self.engine.interrupter()
    }
}

/// The first line of a cell that says something.
fn first_line(code: &str) -> &str {
    let mut lines = code.lines().map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}
