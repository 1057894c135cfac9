//! Pieces of cells: statements, commands, options, and the Rust around measured statements.

pub mod numbers;
pub mod options;
pub mod snippet;
pub mod syntax;
pub(crate) mod value;

use syntax::Statements;

/// `code` without evcxr's commands and shell lines.
pub fn without_commands(code: &str) -> &str {
    split_commands(code).1
}

/// Parses the Rust in `code`.
pub fn rust(code: &str) -> Statements {
    Statements::parse(without_commands(code))
}

/// Splits `code` into evcxr's commands and shell lines, which come first, and the Rust behind them.
/// Blank lines and comments before the Rust belong to the commands.
pub fn split_commands(code: &str) -> (&str, &str) {
    let mut rest = code;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let text = line.trim_start();
        let is_command =
            line.starts_with('!') || (text.starts_with(':') && !text.starts_with("::"));
        if !is_command && !text.is_empty() && !text.starts_with("//") {
            break;
        }
        rest = &rest[line.len()..];
    }
    code.split_at(code.len() - rest.len())
}
