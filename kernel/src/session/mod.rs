//! The session: what a cell may see and change, and how cells are evaluated in it.
//! Knows nothing of Jupyter's wire protocol; the kernel, `memit run` and `memit eval` all use it.

mod bundle;
mod check;
mod complete;
mod diagnostics;
mod engine;
mod error;
mod input;
mod inspect;
mod link;
mod magic;
mod output;
mod panic_site;
mod position;
mod utf8;

pub(crate) use check::Problem;
pub(crate) use complete::{Completeness, Completions, Match, completeness};
pub(crate) use error::CellError;
pub(crate) use input::{Input, NoAnswer, NoInput, Question};
pub(crate) use link::Interrupter;
pub(crate) use output::{MimeBundle, Output, Stream};

use std::sync::Arc;

use memit_magics::cell::{self, Part};

use engine::Engine;

/// A Rust session.
pub(crate) struct Session {
    engine: Engine,
    /// The cells so far, oldest first: where a panic's line is looked up.
    cells: Vec<String>,
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
        })
    }

    /// Gets the analyser going, which the first `let` would have to wait for. Takes seconds.
    pub(crate) fn warm_up(&mut self) {
        self.engine.warm_up();
    }

    /// Evaluates one cell, whose questions `input` answers; returns when all of its output has
    /// been given to `output`.
    ///
    /// # Errors
    ///
    /// How the cell failed. What was there before is still there.
    pub(crate) fn execute(
        &mut self,
        code: &str,
        output: &Arc<dyn Output>,
        input: &Arc<dyn Input>,
    ) -> Result<(), CellError> {
        self.cells.push(code.to_owned());
        self.engine
            .begin_cell(Arc::clone(output), Arc::clone(input));
        let result = self.execute_parts(code, output.as_ref());
        self.engine.end_cell();
        let questions = self.engine.questions();
        if self.engine.interrupted() && !questions.refused() {
            Err(CellError::interrupted())
        } else {
            questions.outcome(result)
        }
    }

    fn execute_parts(&mut self, code: &str, output: &dyn Output) -> Result<(), CellError> {
        let parts = cell::split(code).map_err(|error| diagnostics::of_magic(&error, code))?;
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.into_iter().enumerate() {
            match part {
                Part::Rust(range) => {
                    // Line ends in front keep the line numbers those of the cell.
                    let lines_before = code[..range.start].matches('\n').count();
                    let source = "\n".repeat(lines_before) + &code[range];
                    let evaluated = self
                        .engine
                        .evaluate(&source)
                        .map_err(|failure| failure.into_error(code, &self.cells, Some))?;
                    if let Some(value) = bundle::of_outputs(&evaluated) {
                        if index == last {
                            output.result(value);
                        } else {
                            output.display(value);
                        }
                    }
                }
                Part::Magic(magic) => {
                    magic::run(&mut self.engine, &magic, code, &self.cells, output)?;
                }
            }
            if self.engine.interrupted() || self.engine.questions().refused() {
                break;
            }
        }
        Ok(())
    }

    /// Completions at `cursor`, in Unicode code points.
    pub(crate) fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        complete::complete(&mut self.engine, code, cursor)
    }

    /// What is known of the name at `cursor`, in Unicode code points.
    pub(crate) fn inspect(&mut self, code: &str, cursor: usize) -> Option<MimeBundle> {
        inspect::inspect(&mut self.engine, code, cursor)
    }

    /// What the compiler would say to a cell. Nothing is run or changed.
    pub(crate) fn check(&mut self, code: &str) -> Vec<Problem> {
        check::check(&mut self.engine, code)
    }

    /// A handle that stops what the session is running.
    pub(crate) fn interrupter(&self) -> Interrupter {
        self.engine.interrupter()
    }
}
