//! `%xdel`: deletes a variable or an item.

use crate::cell::syntax;
use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

/// The magic.
pub(crate) struct Xdel;

impl Magic for Xdel {
    fn name(&self) -> &'static str {
        "xdel"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "Delete a variable or an item"
    }

    fn argument(&self) -> &'static str {
        "NAME"
    }

    fn details(&self) -> &'static str {
        "Drops the variable, or removes the item: a type, a function, a macro, a module, an import. A type \
         and a trait are removed together with their implementations. If a variable and an item have this \
         name, the variable is deleted.\n\
         \n\
         An item that other items or variables use is not deleted: the error names them. `%undo` brings \
         back what `%xdel` has deleted. `%reset` forgets everything.\n\
         \n\
         Examples:\n    %xdel words\n    %xdel Point"
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let range = call.argument.range();
        let name = call.argument.text().trim().trim_end_matches(';').trim_end();
        if syntax::is_name(name) {
            let name = name.to_owned();
            return Ok(Action::Delete { name, range });
        }
        let error = MagicError::new("`%xdel` takes the name of a variable or an item", range);
        Err(error.with_help("for example: `%xdel words`"))
    }
}
