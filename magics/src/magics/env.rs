//! `%env`: shows and sets the environment.

use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

/// The magic.
pub(crate) struct Env;

impl Magic for Env {
    fn name(&self) -> &'static str {
        "env"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        "Show or set environment variables"
    }

    fn argument(&self) -> &'static str {
        "[NAME | NAME=VALUE]"
    }

    fn details(&self) -> &'static str {
        "Without an argument, shows all variables of the environment of the session process. The values of \
         variables whose names contain `key`, `token` or `secret` are hidden. With NAME, shows the value of this \
         variable. With NAME=VALUE or NAME VALUE, sets the variable: `std::env::var` in cells and the programs \
         that cells and shell lines start see the new value.\n\
         \n\
         `%undo` takes a change back. The environment of the compiler, and so `env!` in a cell, does not change: \
         evcxr's `:build_env NAME=VALUE` is for the compiler.\n\
         \n\
         Examples:\n    %env HOME\n    %env RUST_LOG=debug"
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let (text, range) = (call.text(), call.text_range());
        let parts = text
            .split_once('=')
            .or_else(|| text.split_once(char::is_whitespace));
        let (name, value) = match parts {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text, None),
        };
        if name.contains(char::is_whitespace) || (name.is_empty() && value.is_some()) {
            let message = match name {
                "" => "the name of the environment variable is missing".to_owned(),
                name => format!("`{name}` is no name of an environment variable"),
            };
            return Err(
                MagicError::new(message, range).with_help("for example: `%env RUST_LOG=debug`")
            );
        }
        if text.contains('\0') {
            return Err(MagicError::new(
                "the environment holds no NUL character",
                range,
            ));
        }
        let source = match value {
            Some(value) => {
                format!("::memit_session::set_environment_variable({name:?}, {value:?});")
            }
            None if name.is_empty() => {
                "::memit_session::abi::entry_points::memit_print_environment();".to_owned()
            }
            None => format!("::memit_session::environment_variable({name:?})?"),
        };
        Ok(Action::Evaluate { source, range })
    }
}

#[cfg(test)]
mod tests {
    use crate::magic::Action;
    use crate::split::{Part, Request, split};

    fn source(cell: &str) -> String {
        let [Part::Magic(magic)] = &split(cell).unwrap()[..] else {
            panic!("{cell}")
        };
        let Ok(Request::Run(magic, asked)) = magic.request(cell) else {
            panic!("{cell}")
        };
        match magic.resolve(&asked) {
            Ok(Action::Evaluate { source, .. }) => source,
            Err(error) => format!("error at `{}`: {error}", &cell[error.span.clone()]),
            Ok(_) => panic!("{cell}"),
        }
    }

    #[test]
    fn a_variable_is_shown_or_set() {
        let sources = [
            "%env",
            "%env HOME",
            "%env A=b",
            "%env  A = b \"c\" ",
            "%env A b=c",
            "%env A b",
            "%env A=",
            "%env =b",
        ];
        insta::assert_snapshot!(sources.map(source).join("\n"), @r#"
        ::memit_session::abi::entry_points::memit_print_environment();
        ::memit_session::environment_variable("HOME")?
        ::memit_session::set_environment_variable("A", "b");
        ::memit_session::set_environment_variable("A", "b \"c\"");
        error at `A b=c`: `A b` is no name of an environment variable
        ::memit_session::set_environment_variable("A", "b");
        ::memit_session::set_environment_variable("A", "");
        error at `=b`: the name of the environment variable is missing
        "#);
    }
}
