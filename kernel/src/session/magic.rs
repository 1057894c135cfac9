//! Runs the magics of a cell.

use memit_magics::help;
use memit_magics::magic::{Action, Costs};
use memit_magics::split::{MagicText, Request};

use super::errors::{CellError, diagnostics};
use super::evaluation::Running;
use super::io::bundle;
use super::{describe, measure, shared_dependencies, variable_list};

/// Runs one magic. `last` says that the cell ends with it.
pub(super) fn run(
    running: &mut Running<'_>,
    magic: &MagicText,
    last: bool,
) -> Result<(), CellError> {
    let code = running.code;
    let of_magic = |error| diagnostics::of_magic(&error, code);
    let (magic, call) = match magic.request(code).map_err(of_magic)? {
        Request::Help(magic) => {
            running.output.display(bundle::of_text(&help::of(magic)));
            return Ok(());
        }
        Request::Run(magic, call) => (magic, call),
    };
    match magic.resolve(&call).map_err(of_magic)? {
        Action::Show(text) => running.output.display(bundle::of_text(&text)),
        Action::Measure(measurement) => {
            measure::measure(running, measurement.as_ref(), last)?;
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
    Ok(())
}
