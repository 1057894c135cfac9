//! Evaluates Rust that a magic or a shell line stands for.

use std::ops::Range;

use memit_magics::MagicError;
use memit_magics::cell::snippet::Generated;
use memit_measurement::FailureKind;

use super::running::{Failed, Running};
use crate::session::errors::{CellError, diagnostics, failed_tests};

impl Running<'_> {
    /// Evaluates the Rust of a magic. A `?` in the Rust is an error about the bytes `range` of the cell.
    pub(crate) fn evaluate_own(
        &mut self,
        source: &str,
        range: Range<usize>,
        last: bool,
    ) -> Result<(), CellError> {
        let code = self.code;
        self.evaluate_told(source, last, |message| {
            diagnostics::of_magic(&MagicError::new(message, range), code)
        })
    }

    /// Runs shell lines, one after the other. The first line that fails ends the cell.
    pub(crate) fn run_shell_lines(&mut self, lines: &[String]) -> Result<(), CellError> {
        let calls = lines.iter().map(|line| {
            format!("::memit_session::run_script({line:?}, \"sh\", {line:?}, true)?;\n")
        });
        let source: String = calls.collect();
        self.evaluate_told(&source, false, |message| {
            CellError::new("CommandError", message)
        })
    }

    /// Evaluates a cell with tests.
    pub(crate) fn test(&mut self, generated: &Generated) -> Result<(), CellError> {
        let source = &generated.source;
        let evaluated = self.evaluate(source, source, false, |line| generated.cell_line(line));
        evaluated.map_err(|Failed { error, cause }| {
            let Some(FailureKind::Returned { error: report }) = cause.map(|cause| *cause) else {
                return error;
            };
            // The cell as it is compiled: a function in a module has become public.
            let before = generated.cell_line(1).unwrap_or(1) - 1;
            let mut cells = self.written.cells.to_vec();
            if let Some(running) = cells.last_mut() {
                *running = "\n".repeat(before) + &generated.users();
            }
            let compiled = self.engine.last_source();
            failed_tests::error(&report, &compiled, &cells).unwrap_or(error)
        })
    }

    /// Evaluates Rust that is not the user's. `told` makes an error of the text of an error at a `?`.
    fn evaluate_told(
        &mut self,
        source: &str,
        last: bool,
        told: impl FnOnce(String) -> CellError,
    ) -> Result<(), CellError> {
        // evcxr takes a line that begins with `::` for a command.
        let source = format!("\t{source}");
        let evaluated = self.evaluate(&source, &source, last, |_| None);
        evaluated.map_err(|Failed { error, cause }| match cause.map(|cause| *cause) {
            Some(FailureKind::Returned { error }) => told(error),
            _ => error,
        })
    }
}
