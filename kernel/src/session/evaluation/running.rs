//! The cell that runs, and its Rust: evaluated, and its value shown.

use memit_magics::cell;
use memit_runtime::measurement::FailureKind;

use super::bundle;
use super::engine::Engine;
use super::error::CellError;
use super::history::History;
use super::output::Output;
use super::phase_types;
use super::profile::{self, Written};
use super::value::{self, Prepared};

/// A cell that runs, and what it runs in.
pub(super) struct Running<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) history: &'a mut History,
    pub(super) code: &'a str,
    pub(super) written: Written<'a>,
    pub(super) output: &'a dyn Output,
}

/// How Rust failed.
pub(super) struct Failed {
    pub(super) error: CellError,
    /// If it ran, what ended it.
    pub(super) cause: Option<Box<FailureKind>>,
}

impl From<CellError> for Failed {
    fn from(error: CellError) -> Self {
        Self { error, cause: None }
    }
}

impl Running<'_> {
    /// Evaluates `source`, of which the user has written `users`; `cell_line` tells which line of the
    /// cell one of its lines is. `last` says that the cell ends with it, so that its value is the
    /// cell's.
    pub(super) fn evaluate(
        &mut self,
        source: &str,
        users: &str,
        last: bool,
        cell_line: impl Fn(usize) -> Option<usize>,
    ) -> Result<(), Failed> {
        let source = &phase_types::written_down(source);
        let prepared = if self.history.may_display(users) {
            Prepared::as_it_is(source)
        } else {
            value::show_debug(source)
        };
        let evaluated = self.engine.evaluate(&prepared.source).map_err(|failure| {
            let cause = failure.of_run().map(Box::new);
            let cell_line = |line| cell_line(prepared.line(line));
            let error = failure.into_error(self.code, self.written.cells, cell_line);
            Failed { error, cause }
        });
        let profile = profile::of_marked(self.engine, self.written, evaluated.is_ok());
        let ((outputs, told), profile) = match (evaluated, profile) {
            (Ok(evaluated), Ok(profile)) => (evaluated, profile),
            (Err(failed), Ok(profile)) => {
                profile.show(self.output);
                return Err(failed);
            }
            (_, Err(error)) => return Err(error.into()),
        };
        self.history.evaluated(users);
        let has_value = || cell::rust(users).value().is_some();
        let output = self.output;
        let shown = told
            .displayed
            .and_then(|displayed| bundle::of_contents(displayed.pairs()));
        let told_by_command = bundle::of_outputs(&outputs);
        match (told_by_command, shown) {
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
}
