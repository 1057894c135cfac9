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
mod io;
mod magic;
mod measure;
mod shared_dependencies;
mod variable_list;

pub(crate) use editor::{Completions, Match, Problem, complete_magic, completeness, inspect_magic};
pub(crate) use engine::Interrupter;
pub(crate) use errors::CellError;
pub(crate) use io::{Input, MimeBundle, NoAnswer, NoInput, Output, Question, Stream};

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use memit_magics::split::{self, Part};

use engine::Engine;
use errors::{allocator, diagnostics, unfinished};
use evaluation::{Running, UndoLog, Written};
use io::bundle;
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
        let variables = || self.engine.variables();
        let code =
            &*split::set_rust_apart(code, |name| variables().iter().any(|other| other == name));
        self.cells.push(code.to_owned());
        self.numbers.push(number);
        let counted = self.undo_log.begin_cell(&self.engine);
        let input = Arc::clone(input);
        let begun = self.engine.begin_cell(counted, number, output, input);
        let watch = self.engine.watch_builds(output);
        let result = match begun {
            Ok(()) => self.execute_parts(code, output.as_ref()),
            Err(error) => Err(error.into_error(code, &self.cells, |_| None)),
        };
        drop(watch);
        self.undo_log.end_cell();
        self.engine.end_cell();
        let questions = self.engine.questions();
        match result {
            result if questions.refused() => questions.outcome(result),
            // Another error may be a consequence of the interrupt, so the interrupt is reported.
            Err(error) if error.ename == CellError::INTERRUPTED => Err(error),
            _ if self.engine.interrupted() => Err(CellError::interrupted()),
            result => result,
        }
    }

    fn execute_parts(&mut self, code: &str, output: &dyn Output) -> Result<(), CellError> {
        let parts = split::split(code).map_err(|error| diagnostics::of_magic(&error, code))?;
        if let Some(error) = unfinished::error(code, &parts) {
            return Err(error);
        }
        if let Some(error) = allocator::error(code) {
            return Err(error);
        }
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.into_iter().enumerate() {
            if self.engine.interrupted() || self.engine.questions().refused() {
                break;
            }
            let Self {
                engine,
                cells,
                numbers,
                undo_log,
                placed,
                ..
            } = self;
            let mut running = Running {
                engine,
                undo_log,
                code,
                written: Written { cells, numbers },
                output,
            };
            match part {
                Part::Rust(range) => {
                    // Blanks in front, so that lines and columns are those of the cell.
                    let before = &code[..range.start];
                    let in_line = before.rsplit('\n').next().unwrap_or_default();
                    let blanks = "\n".repeat(before.matches('\n').count())
                        + &" ".repeat(in_line.chars().count());
                    let (rest, shell_lines) = commands::without_shell_lines(&code[range.clone()]);
                    let adapted = commands::adapted(&rest, running.engine.opt_level())
                        .map_err(|error| diagnostics::of_command(error, range.start, code))?;
                    for note in &adapted.notes {
                        output.display(bundle::of_text(note));
                    }
                    if adapted.clears {
                        running.forget_all()?;
                        if adapted.source.trim().is_empty() && adapted.questions.is_empty() {
                            continue;
                        }
                    }
                    if !shell_lines.is_empty() {
                        running.run_shell_lines(&shell_lines)?;
                    }
                    let is_last = index == last;
                    let is_blank = adapted.source.trim().is_empty();
                    for question in &adapted.questions {
                        let answer = variable_list::answer(question, running.engine)
                            .map_err(|message| CellError::new("CommandError", message))?;
                        if is_last && is_blank {
                            output.result(answer);
                        } else {
                            output.display(answer);
                        }
                    }
                    let source = blanks + &adapted.source;
                    let level_before = running.engine.opt_level();
                    if let Some(level) = adapted.opt_level {
                        running.engine.set_opt_level(level);
                    }
                    if is_blank && !shell_lines.is_empty() {
                        continue;
                    }
                    measure::evaluate(&mut running, placed, &source, is_last)
                        .inspect_err(|_| running.engine.set_opt_level(level_before))?;
                }
                Part::Magic(magic) => magic::run(&mut running, &magic, index == last)?,
            }
        }
        Ok(())
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
