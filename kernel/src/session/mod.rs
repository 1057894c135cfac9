//! The session: what a cell may see and change, and how cells are evaluated in it.
//! Knows nothing of Jupyter's wire protocol; the kernel, `memit run` and `memit eval` all use it.

mod describe;
mod editor;
mod engine;
mod errors;
mod evaluation;
mod io;
mod magic;
mod measure;

pub(crate) use editor::{Completions, Match, Problem, completeness};
pub(crate) use engine::Interrupter;
pub(crate) use errors::CellError;
pub(crate) use io::{Input, MimeBundle, NoAnswer, NoInput, Output, Question, Stream};

use std::sync::Arc;

use memit_magics::cell::{self, Part};

use engine::{BuildWatch, Engine};
use errors::diagnostics;
use evaluation::{Running, UndoLog, Written};

/// A Rust session.
pub(crate) struct Session {
    engine: Engine,
    /// The cells so far, oldest first: where a panic's line is looked up.
    cells: Vec<String>,
    /// What front-ends call them.
    numbers: Vec<u64>,
    undo_log: UndoLog,
    /// The analyser has been got going, or has been tried to.
    warm: bool,
}

impl Session {
    /// Starts a session. Takes seconds: the compiler and the analyser are started.
    ///
    /// # Errors
    ///
    /// If the compiler is missing or does not work, or the system refuses a process.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Ok(Self {
            engine: Engine::start()?,
            cells: Vec::new(),
            numbers: Vec::new(),
            undo_log: UndoLog::default(),
            warm: false,
        })
    }

    /// Gets the analyser going, which the first `let` would have to wait for. Takes seconds.
    pub(crate) fn warm_up(&mut self) {
        self.warm = true;
        self.engine.warm_up();
    }

    /// Whether [`Self::warm_up`] has been called.
    pub(crate) fn is_warm(&self) -> bool {
        self.warm
    }

    /// Evaluates one cell, which front-ends call `number`, and whose questions `input` answers;
    /// returns when all of its output has been given to `output`.
    ///
    /// # Errors
    ///
    /// How the cell failed. What was there before is still there.
    pub(crate) fn execute(
        &mut self,
        number: u64,
        code: &str,
        output: &Arc<dyn Output>,
        input: &Arc<dyn Input>,
    ) -> Result<(), CellError> {
        self.cells.push(code.to_owned());
        self.numbers.push(number);
        let number = self.undo_log.begin_cell(&self.engine);
        self.engine
            .begin_cell(number, Arc::clone(output), Arc::clone(input));
        let watch = BuildWatch::start(output);
        let result = self.execute_parts(code, output.as_ref());
        drop(watch);
        self.undo_log.end_cell();
        self.engine.end_cell();
        let questions = self.engine.questions();
        match result {
            result if questions.refused() => questions.outcome(result),
            // The interrupt may be all that there is to say, or the cause of another error.
            Err(error) if error.ename == CellError::INTERRUPTED => Err(error),
            _ if self.engine.interrupted() => Err(CellError::interrupted()),
            result => result,
        }
    }

    fn execute_parts(&mut self, code: &str, output: &dyn Output) -> Result<(), CellError> {
        let parts = cell::split(code).map_err(|error| diagnostics::of_magic(&error, code))?;
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
                    // Line ends in front keep the line numbers those of the cell.
                    let lines_before = code[..range.start].matches('\n').count();
                    let source = "\n".repeat(lines_before) + &code[range];
                    let is_last = index == last;
                    running
                        .evaluate(&source, &source, is_last, Some)
                        .map_err(|failed| failed.error)?;
                }
                Part::Magic(magic) => magic::run(&mut running, &magic, index == last)?,
            }
        }
        Ok(())
    }

    /// What the compiler would say to a cell. Nothing is run or changed.
    pub(crate) fn check(&mut self, code: &str) -> Vec<Problem> {
        editor::check(&mut self.engine, code)
    }

    /// Completions at `cursor`, in Unicode code points.
    pub(crate) fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        editor::complete(&mut self.engine, code, cursor)
    }

    /// What is known of the name at `cursor`, in Unicode code points.
    pub(crate) fn inspect(&mut self, code: &str, cursor: usize) -> Option<MimeBundle> {
        editor::inspect(&mut self.engine, code, cursor)
    }

    /// A handle that stops what the session is running.
    pub(crate) fn interrupter(&self) -> Interrupter {
        self.engine.interrupter()
    }
}
