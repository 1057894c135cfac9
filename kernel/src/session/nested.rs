//! Runs cells on behalf of a magic: below the magic, from the history, from files.

use std::sync::Arc;

use memit_magics::magic::Capture;
use memit_magics::split;

use super::errors::diagnostics;
use super::io::{Kept, Recorded, Recorder, Stream};
use super::{CellError, Output, Session};

/// What a magic leaves to do.
pub(super) enum Rest {
    Nothing,
    /// To run the cell below the magic and keep its output.
    Capture(Capture),
    /// To run other cells.
    Cells(Vec<OtherCell>),
}

/// A cell from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OtherCell {
    pub(super) code: String,
    /// Text that is printed first.
    pub(super) announced: String,
    /// What errors call the cell; `None` if the cell is one of the session.
    pub(super) file: Option<String>,
}

/// A magic that runs itself must end.
const DEEPEST: usize = 8;

impl Session {
    /// Does what a magic of the cell `code` leaves to do. `last` says that the cell ends with the magic.
    pub(super) fn execute_rest(
        &mut self,
        rest: Rest,
        code: &str,
        output: &Arc<dyn Output>,
        last: bool,
    ) -> Result<(), CellError> {
        match rest {
            Rest::Nothing => Ok(()),
            Rest::Capture(capture) => {
                self.nested(|session| session.capture(&capture, code, output))
            }
            Rest::Cells(cells) => self.nested(|session| {
                for (at, cell) in (1..).zip(&cells) {
                    if session.is_stopped() {
                        break;
                    }
                    output.stream(Stream::Stdout, &cell.announced);
                    let result =
                        session.execute_other(&cell.code, output, last && at == cells.len());
                    result.map_err(|error| match &cell.file {
                        Some(file) => diagnostics::of_file(error, file),
                        None => error,
                    })?;
                }
                // The cell goes on: its lines are those of the last cell.
                let number = session.numbers.last().copied().unwrap_or_default();
                session.cells.push(code.to_owned());
                session.numbers.push(number);
                Ok(())
            }),
        }
    }

    fn nested(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<(), CellError>,
    ) -> Result<(), CellError> {
        if self.depth == DEEPEST {
            let message = format!("magics run cells with magics, {DEEPEST} deep");
            return Err(CellError::new("MagicError", message));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn execute_other(
        &mut self,
        code: &str,
        output: &Arc<dyn Output>,
        last: bool,
    ) -> Result<(), CellError> {
        let code = self.apart(code);
        let number = self.numbers.last().copied().unwrap_or_default();
        self.cells.push(code.clone());
        self.numbers.push(number);
        self.execute_parts(&code, output, last)
    }

    /// The cell as evcxr must see it.
    pub(super) fn apart(&self, code: &str) -> String {
        let variables = || self.engine.variables();
        let apart =
            split::set_rust_apart(code, |name| variables().iter().any(|other| other == name));
        apart.into_owned()
    }

    fn capture(
        &mut self,
        capture: &Capture,
        code: &str,
        output: &Arc<dyn Output>,
    ) -> Result<(), CellError> {
        let body = self.apart(&split::body_alone(code, &capture.body));
        let kept = Kept {
            stdout: capture.stdout,
            stderr: capture.stderr,
            display: capture.display,
        };
        let recorder = Arc::new(Recorder::new(kept, output));
        let recording: Arc<dyn Output> = recorder.clone();
        self.engine.output_to(Arc::clone(&recording));
        let result = self.execute_parts(&body, &recording, true);
        self.engine.output_to(Arc::clone(output));
        result?;
        let Some(name) = &capture.variable else {
            return Ok(());
        };
        let Recorded {
            stdout,
            stderr,
            outputs,
        } = recorder.take();
        let outputs: Vec<_> = outputs
            .iter()
            .map(|text| format!("{text:?}.to_owned()"))
            .collect();
        let source = format!(
            "let {name} = ::memit_session::Captured {{ stdout: {stdout:?}.to_owned(), \
             stderr: {stderr:?}.to_owned(), outputs: ::std::vec![{}] }};",
            outputs.join(", ")
        );
        let (mut running, _) = self.running(code, output.as_ref());
        let evaluated = running.evaluate(&source, &source, false, |_| None);
        evaluated.map_err(|failed| failed.error)
    }
}
