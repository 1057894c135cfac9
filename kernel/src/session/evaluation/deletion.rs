//! Deletes a variable or an item.

use std::ops::Range;

use memit_magics::cell::syntax;
use memit_magics::{MagicError, nearest};

use super::running::Running;
use crate::session::engine::EvaluationError;
use crate::session::errors::CellError;

impl Running<'_> {
    /// Deletes the variable or the item `name`. Returns the text to show; `None` if there is neither.
    pub(crate) fn delete(&mut self, name: &str) -> Result<Option<String>, CellError> {
        if self.engine.variables().iter().any(|other| other == name) {
            self.engine
                .delete(name)
                .map_err(|failure| failure.into_error("", &[], |_| None))?;
            self.undo_log.evaluated("");
            return Ok(Some(format!("The variable `{name}` is deleted.")));
        }
        let Some(deleted) = self.undo_log.item_calls().delete(name) else {
            return Ok(None);
        };
        if let Some((variable, of)) = self.user_of(&deleted.names) {
            let message =
                format!("`{name}` is not deleted: the variable `{variable}` is of the type `{of}`");
            let help = format!("help: `%xdel {variable}` deletes the variable");
            return Err(CellError::new("InUseError", message).with_note(help));
        }
        let (of_implementations, implementations) = self.undo_log.implementations().delete(name);
        let source = deleted.source + &of_implementations;
        match self.engine.evaluate(&source) {
            Ok(_) => {}
            Err(failure) => {
                let is_used = matches!(failure, EvaluationError::Compile { .. });
                let mut error = failure.into_error("", self.written.cells, |_| None);
                if is_used {
                    let note =
                        format!("note: `{name}` is not deleted, because the code above uses it");
                    error = error.with_note(note);
                }
                return Err(error);
            }
        }
        self.undo_log.evaluated(&source);
        self.undo_log.implemented(implementations);
        let others: Vec<_> = deleted
            .names
            .iter()
            .filter(|other| *other != name)
            .map(|other| format!("`{other}`"))
            .collect();
        Ok(Some(if others.is_empty() {
            format!("The item `{name}` is deleted.")
        } else {
            let others = others.join(", ");
            format!(
                "The item `{name}` is deleted, with {others}, which the same macro call has made."
            )
        }))
    }

    /// The error for a name that is neither a variable nor an item. `range` are its bytes in the cell.
    pub(crate) fn unknown(&self, name: &str, range: Range<usize>) -> MagicError {
        let mut known = self.engine.variables();
        known.extend(self.undo_log.item_calls().names());
        let error = MagicError::new(format!("there is no variable or item `{name}`"), range);
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error.with_help("`:vars` lists the variables"),
        }
    }

    /// A variable whose type mentions one of the names, with its type.
    fn user_of<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> Option<(String, String)> {
        let names: Vec<_> = names.into_iter().collect();
        let is_user = |of: &str| names.iter().any(|name| syntax::mentions(of, name));
        let (variable, of) = self.engine.types().find(|(_, of)| is_user(of))?;
        Some((variable.to_owned(), of))
    }
}
