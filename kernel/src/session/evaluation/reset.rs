//! Forgets everything that cells have defined.

use super::running::Running;
use crate::session::errors::CellError;
use crate::session::io::NoAnswer;

const QUESTION: &str = "Forget all variables, items and dependencies (y/[n])? ";

impl Running<'_> {
    /// Forgets variables, items and dependencies. Returns the text to show. `asks` says that the user
    /// is asked first.
    pub(crate) fn reset(&mut self, asks: bool) -> Result<String, CellError> {
        if asks {
            match self.engine.ask(QUESTION) {
                Ok(answer) if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) => {}
                Ok(_) => return Ok("Nothing was forgotten.".to_owned()),
                Err(NoAnswer::GivenUp) => return Err(CellError::interrupted()),
                Err(NoAnswer::Impossible(why)) => {
                    let message = format!("`%reset` asks for input, but {why}");
                    let error = CellError::new("StdinNotImplementedError", message);
                    return Err(error.with_note("help: `%reset -f` does not ask"));
                }
            }
        }
        self.forget_all()?;
        Ok("Variables, items and dependencies are forgotten.".to_owned())
    }

    /// Forgets variables, items and dependencies.
    pub(crate) fn forget_all(&mut self) -> Result<(), CellError> {
        let cleared = self.engine.clear();
        cleared.map_err(|failure| failure.into_error("", &[], |_| None))?;
        self.undo_log.cleared();
        self.costs.forget();
        Ok(())
    }
}
