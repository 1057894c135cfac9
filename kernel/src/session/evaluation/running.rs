//! The running cell: evaluates its Rust and shows the value.

use evcxr::EvalOutputs;
use memit_magics::cell;
use memit_magics::cell::syntax;
use memit_measurement::FailureKind;

use super::cost_log::CostLog;
use super::implementations::Marked;
use super::item_calls::Kept;
use super::probed_functions::{self, Written};
use super::undo_log::UndoLog;
use super::value::{self, Prepared};
use super::{given_up, left, phase_types, self_imports};
use crate::compiler::variables::{GivenUp, Left};
use crate::session::engine::{Anew, CellOutcome, Engine, EvaluationError};
use crate::session::errors::CellError;
use crate::session::io::{Output, Stream, bundle};

/// The running cell and the parts of the session that it uses.
pub(crate) struct Running<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) undo_log: &'a mut UndoLog,
    pub(crate) code: &'a str,
    pub(crate) written: Written<'a>,
    pub(crate) costs: &'a mut CostLog,
    pub(crate) output: &'a dyn Output,
}

/// Why a part of the cell failed.
pub(crate) struct Failed {
    pub(crate) error: CellError,
    /// What ended the code, if it ran.
    pub(crate) cause: Option<Box<FailureKind>>,
}

impl From<CellError> for Failed {
    fn from(error: CellError) -> Self {
        Self { error, cause: None }
    }
}

/// The evaluation of a source, and what the source has become on its way to evcxr.
struct Attempt {
    kept: Kept,
    marked: Marked,
    prepared: Prepared,
    evaluated: Result<(EvalOutputs, CellOutcome), EvaluationError>,
}

impl Running<'_> {
    /// Evaluates generated `source`. `users` is the part the user wrote; `cell_line` maps a line of
    /// `source` to a line of the cell. If `last`, the cell ends with `source`, and its value is the
    /// value of the cell.
    pub(crate) fn evaluate(
        &mut self,
        source: &str,
        users: &str,
        last: bool,
        cell_line: impl Fn(usize) -> Option<usize>,
    ) -> Result<(), Failed> {
        let spelt_out = self_imports::spelt_out(&phase_types::with_phase_types(source));
        let source = &spelt_out.source;
        let calls = self.undo_log.item_calls();
        let kept = calls.keep(source);
        let mut attempt = self.attempt(kept, users);
        if let (true, Err(EvaluationError::Compile { errors, .. })) =
            (attempt.kept.is_guess(), &attempt.evaluated)
        {
            let calls = self.undo_log.item_calls().without_guesses(&attempt.kept);
            let without = self.attempt(calls.keep(source), users);
            let count = |errors: &[evcxr::CompilationError]| {
                let is_error = |each: &&evcxr::CompilationError| each.level() == "error";
                errors.iter().filter(is_error).count()
            };
            // Errors about the guess come on top of those about the user's text.
            let is_better = match &without.evaluated {
                Err(EvaluationError::Compile { errors: others, .. }) => {
                    count(others) < count(errors)
                }
                _ => true,
            };
            if is_better {
                attempt = without;
            }
            if attempt.evaluated.is_ok() {
                self.undo_log.learned(calls);
            }
        }
        let Attempt {
            kept,
            marked,
            prepared,
            evaluated,
        } = attempt;
        let evaluated = evaluated.map_err(|failure| {
            let cause = failure.of_run().map(Box::new);
            let is_unknown = matches!(failure, EvaluationError::Compile { .. });
            let cell_line = |line| {
                let line = kept
                    .rewritten
                    .line(marked.rewritten.line(prepared.line(line)));
                cell_line(spelt_out.line(line))
            };
            let mut error = failure.into_error(self.code, self.written.cells, cell_line);
            if is_unknown {
                let given_up = self.engine.take_given_up();
                let missed = |each: &&GivenUp| syntax::mentions(users, &each.variable);
                for each in given_up.iter().filter(missed) {
                    error = error.with_note(given_up::help(each));
                }
            }
            Failed { error, cause }
        });
        let profile = probed_functions::of_marked(self.engine, self.written, evaluated.is_ok());
        let ((outputs, outcome), profile) = match (evaluated, profile) {
            (Ok(evaluated), Ok(profile)) => (evaluated, profile),
            (Err(failed), Ok(profile)) => {
                profile.show(self.output);
                return Err(failed);
            }
            (_, Err(error)) => return Err(error.into()),
        };
        self.undo_log.evaluated(users);
        self.undo_log.implemented(marked.implementations);
        self.say_what_was_given_up();
        self.say_what_starts_anew();
        self.say_what_is_not_kept(users);
        let has_value = || cell::rust(users).value().is_some();
        let output = self.output;
        let shown = outcome
            .displayed
            .and_then(|displayed| bundle::of_contents(displayed.pairs()));
        match (bundle::of_outputs(&outputs), shown) {
            (Some(command), None) if last => output.result(command),
            (Some(command), None) => output.display(command),
            (command, Some(shown)) => {
                if let Some(command) = command {
                    output.display(command);
                }
                if last && has_value() {
                    output.result(shown);
                } else {
                    output.display(shown);
                }
            }
            (None, None) => {}
        }
        profile.show(output);
        Ok(())
    }

    /// Evaluates a source whose calls evcxr keeps.
    fn attempt(&mut self, kept: Kept, users: &str) -> Attempt {
        let marked = self.undo_log.implementations().mark(&kept.rewritten.source);
        let engine = &*self.engine;
        let of_dependencies = || engine.dependencies_display();
        let prepared = if self.undo_log.may_display(users, of_dependencies) {
            Prepared::unchanged(&marked.rewritten.source)
        } else {
            value::shown(&marked.rewritten.source)
        };
        let evaluated = self.engine.evaluate(&prepared.source);
        Attempt {
            kept,
            marked,
            prepared,
            evaluated,
        }
    }

    /// Names the variables that end with the cell, and closures, which evcxr has not seen. Nobody
    /// misses a variable that begins with an underscore.
    fn say_what_is_not_kept(&mut self, users: &str) {
        let lets = cell::rust(users).lets();
        let mut ending = self.engine.take_left();
        let closures = lets
            .iter()
            .filter(|each| each.is_closure && each.of.is_none());
        for name in closures.flat_map(|each| &each.names) {
            ending.entry(name.clone()).or_insert(Left::Unnamed);
        }
        for (name, left) in &ending {
            if name.starts_with('_') || self.engine.is_new(name) {
                continue;
            }
            let binding = lets.iter().rev().find(|each| each.names.contains(name));
            self.engine.leave(name);
            let note = left::note(name, left, binding) + "\n";
            self.output.stream(Stream::Stderr, &note);
        }
    }

    /// Names the statics that have started anew.
    fn say_what_starts_anew(&mut self) {
        for each in self.engine.take_anew() {
            let note = match each {
                Anew::Edited(path) => {
                    format!("`{path}` starts anew, because its definition has changed\n")
                }
                Anew::Unshared(path) => format!(
                    "`{path}` starts anew in each cell: cells cannot share this static, because a macro or an \
                     attribute makes it\n"
                ),
            };
            self.output.stream(Stream::Stderr, &note);
        }
    }

    /// Names the variables that are gone. A variable that the cell has bound anew is not missed.
    fn say_what_was_given_up(&mut self) {
        let given_up = self.engine.take_given_up();
        if given_up.is_empty() {
            return;
        }
        let bound = self.engine.variables();
        let number = self.written.numbers.last().copied().unwrap_or_default();
        for each in &given_up {
            let is_leaked = self.engine.is_leaked(&each.variable);
            if is_leaked || !bound.contains(&each.variable) {
                let note = given_up::note(each, is_leaked, number) + "\n";
                self.output.stream(Stream::Stderr, &note);
            }
        }
    }
}
