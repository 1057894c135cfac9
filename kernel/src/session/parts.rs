//! Runs the parts of a cell: Rust, commands, shell lines and magics.

use std::ops::Range;
use std::sync::Arc;

use memit_magics::split::{self, Part};

use super::errors::{allocator, diagnostics, unfinished};
use super::evaluation::{Running, Written};
use super::io::bundle;
use super::measure::{self, PlacedMagics};
use super::{CellError, Output, Session, commands, magic, variable_list};

impl Session {
    /// Runs a cell. If `shows_result`, the value at its end is the result of the request.
    pub(super) fn execute_parts(
        &mut self,
        code: &str,
        output: &Arc<dyn Output>,
        shows_result: bool,
    ) -> Result<(), CellError> {
        let parts = split::split(code).map_err(|error| diagnostics::of_magic(&error, code))?;
        if let Some(error) = unfinished::error(code, &parts) {
            return Err(error);
        }
        if let Some(error) = allocator::error(code) {
            return Err(error);
        }
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.into_iter().enumerate() {
            if self.is_stopped() {
                break;
            }
            let is_last = shows_result && index == last;
            match part {
                Part::Rust(range) => self.execute_rust(code, range, is_last, output.as_ref())?,
                Part::Magic(magic) => {
                    let (mut running, _) = self.running(code, output.as_ref());
                    let rest = magic::run(&mut running, &magic, is_last)?;
                    self.execute_rest(rest, code, output, is_last)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the running cell is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.engine.interrupted() || self.engine.questions().refused()
    }

    /// The cell `code` as it runs, and the magics in blocks.
    pub(super) fn running<'a>(
        &'a mut self,
        code: &'a str,
        output: &'a dyn Output,
    ) -> (Running<'a>, &'a PlacedMagics) {
        let running = Running {
            engine: &mut self.engine,
            undo_log: &mut self.undo_log,
            code,
            written: Written {
                cells: &self.cells,
                numbers: &self.numbers,
            },
            costs: &mut self.costs,
            output,
        };
        (running, &self.placed)
    }

    /// Runs a part with Rust, commands and shell lines. `last` says that the cell ends with the part.
    fn execute_rust(
        &mut self,
        code: &str,
        range: Range<usize>,
        last: bool,
        output: &dyn Output,
    ) -> Result<(), CellError> {
        let (mut running, placed) = self.running(code, output);
        // Blanks in front, so that lines and columns are those of the cell.
        let before = &code[..range.start];
        let in_line = before.rsplit('\n').next().unwrap_or_default();
        let blanks =
            "\n".repeat(before.matches('\n').count()) + &" ".repeat(in_line.chars().count());
        let (rest, shell_lines) = commands::without_shell_lines(&code[range.clone()]);
        let adapted = commands::adapted(&rest, running.engine.opt_level())
            .map_err(|error| diagnostics::of_command(error, range.start, code))?;
        for note in &adapted.notes {
            output.display(bundle::of_text(note));
        }
        let is_blank = adapted.source.trim().is_empty();
        if adapted.clears {
            running.forget_all()?;
            if is_blank && adapted.questions.is_empty() && shell_lines.is_empty() {
                return Ok(());
            }
        }
        if !shell_lines.is_empty() {
            running.run_shell_lines(&shell_lines)?;
        }
        for question in &adapted.questions {
            let answer = variable_list::answer(question, running.engine)
                .map_err(|message| CellError::new("CommandError", message))?;
            if last && is_blank {
                output.result(answer);
            } else {
                output.display(answer);
            }
        }
        let source = blanks + &adapted.source;
        let level_before = running.engine.opt_level();
        if let Some(level) = adapted.opt_level {
            running.engine.set_opt_level(level);
        }
        if is_blank && !shell_lines.is_empty() {
            return Ok(());
        }
        measure::evaluate(&mut running, placed, &source, last)
            .inspect_err(|_| running.engine.set_opt_level(level_before))
    }
}
