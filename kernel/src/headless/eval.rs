//! `memit eval`: evaluates cells from the command line.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::console::{self, Console};
use super::interrupts::start_session;
use super::terminal::Terminal;
use crate::session::{Input, Output};

/// Evaluates the cells in order; `-` stands for standard input. Stops at the first cell that fails,
/// with exit code 1.
///
/// # Errors
///
/// If the session does not start or standard input cannot be read.
pub(crate) fn eval(cells: &[String]) -> anyhow::Result<ExitCode> {
    let mut session = start_session()?;
    if !std::io::stdin().is_terminal() {
        session.close_input();
    }
    let output: Arc<dyn Output> = Arc::new(Console::default());
    let input: Arc<dyn Input> = Arc::new(Terminal::default());
    for (number, cell) in (1..).zip(cells) {
        let mut text = String::new();
        let code = if cell == "-" {
            std::io::stdin()
                .read_to_string(&mut text)
                .context("cannot read standard input")?;
            &text
        } else {
            cell
        };
        if let Err(error) = session.execute(number, code, &output, &input) {
            console::print_error(&error);
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
