//! Runs the magics of a cell.

use memit_magics::magic::{Action, Costs};
use memit_magics::split::{MagicText, Request};
use memit_magics::{MagicError, help};

use super::errors::{CellError, diagnostics};
use super::evaluation::Running;
use super::io::{Stream, bundle};
use super::nested::Rest;
use super::{describe, files, history, measure, shared_dependencies, variable_list};

/// Runs one magic. `last` says that the cell ends with it.
pub(super) fn run(
    running: &mut Running<'_>,
    magic: &MagicText,
    last: bool,
) -> Result<Rest, CellError> {
    let code = running.code;
    let of_magic = |error: MagicError| diagnostics::of_magic(&error, code);
    let (magic, call) = match magic.request(code).map_err(of_magic)? {
        Request::Help(magic) => {
            running.output.display(bundle::of_text(&help::of(magic)));
            return Ok(Rest::Nothing);
        }
        Request::Run(magic, call) => (magic, call),
    };
    match magic.resolve(&call).map_err(of_magic)? {
        Action::Show(text) => running.output.display(bundle::of_text(&text)),
        Action::Measure(measurement) => {
            measure::measure(running, measurement.as_ref(), last)?;
        }
        Action::Evaluate { source, range } => running.evaluate_own(&source, range, last)?,
        Action::Test(generated) => running.test(&generated)?,
        Action::Write {
            file,
            range,
            text,
            appends,
        } => {
            let directory = running.engine.working_directory();
            let said = files::write(&directory, &file, &text, appends)
                .map_err(|message| of_magic(MagicError::new(message, range)))?;
            running.output.stream(Stream::Stdout, &said);
        }
        Action::Display { mime, text } => running.output.display(bundle::of_kind(mime, &text)),
        Action::Capture(capture) => return Ok(Rest::Capture(capture)),
        Action::ShowHistory { cells, numbered } => {
            let text = history::text(running.written, &cells, numbered);
            running.output.stream(Stream::Stdout, &text);
        }
        Action::Rerun { cells, range } => {
            let cells = history::again(running.written, &cells)
                .ok_or_else(|| of_magic(MagicError::new("there is no such cell", range)))?;
            return Ok(Rest::Cells(cells));
        }
        Action::Load { file, range } => {
            let directory = running.engine.working_directory();
            let text = files::read(&directory, &file)
                .map_err(|message| of_magic(MagicError::new(message, range)))?;
            running
                .output
                .next_input(&format!("// %load {file}\n{text}"));
        }
        Action::Run { file, range } => {
            let directory = running.engine.working_directory();
            let cells = files::cells(&directory, &file)
                .map_err(|message| of_magic(MagicError::new(message, range)))?;
            return Ok(Rest::Cells(cells));
        }
        Action::ShowDirectory => {
            let directory = running.engine.working_directory();
            let shown = bundle::of_text(&directory.display().to_string());
            if last {
                running.output.result(shown);
            } else {
                running.output.display(shown);
            }
        }
        Action::DescribeSession => {
            let described = running.engine.describe();
            let text = describe::session(
                described.as_ref(),
                running.undo_log,
                running.engine.threads_since(),
                &running.engine.separate_dependencies(),
            );
            running.output.display(bundle::of_text(&text));
        }
        Action::Undo => {
            let text = running.undo_log.undo(running.engine)?;
            running.output.display(bundle::of_text(&text));
        }
        Action::Who { types } => {
            let variables = variable_list::in_order(running.engine, running.written);
            let text = variable_list::names(&variables, &types);
            running.output.display(bundle::of_text(&text));
        }
        Action::Delete { name, range } => {
            let Some(text) = running.delete(&name)? else {
                return Err(of_magic(running.unknown(&name, range)));
            };
            running.output.display(bundle::of_text(&text));
        }
        Action::Cache { clears } => {
            let text = shared_dependencies::answer(clears)?;
            running.output.display(bundle::of_text(&text));
        }
        Action::Costs(Costs::Show(shows)) => running.costs.show(shows),
        Action::Costs(Costs::Table(order)) => running.output.display(running.costs.table(order)),
        Action::Reset { asks } => {
            let text = running.reset(asks)?;
            running.output.display(bundle::of_text(&text));
        }
    }
    Ok(Rest::Nothing)
}
