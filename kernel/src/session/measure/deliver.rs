//! Delivers the answer of a measurement: to the notebook, to files, to a variable.

use std::fs;
use std::io;
use std::path::Path;

use memit_magics::magic::{Answer, Delivery};

use super::measurement_error::nothing_measured;
use crate::chart_file::{ChartFormat, write_chart};
use crate::session::errors::CellError;
use crate::session::evaluation::Running;
use crate::session::io::{Output, Stream, bundle};

/// Shows, writes and binds the answer as the options of the magic say.
///
/// # Errors
///
/// If a file cannot be written or the variable cannot be bound.
pub(super) fn deliver(
    running: &mut Running<'_>,
    answer: &Answer,
    delivery: &Delivery,
) -> Result<(), CellError> {
    let (report, output) = (&answer.report, running.output);
    show(
        output,
        answer,
        delivery,
        &running.engine.working_directory(),
    )?;
    if let Some(name) = &delivery.variable {
        let value = &answer.value;
        let source = format!("{}\nlet {name} = {};", value.items, value.expr());
        running
            .engine
            .evaluate(&source)
            .map_err(|failure| failure.into_error("", &[], |_| None))?;
        running.undo_log.evaluated(&source);
    }
    if delivery.returned {
        output.result(bundle::of_report(report, &report.repr, false));
    }
    Ok(())
}

/// Shows and writes the answer as the options of the magic say. Relative paths start from `directory`.
///
/// # Errors
///
/// If a file cannot be written.
pub(super) fn show(
    output: &dyn Output,
    answer: &Answer,
    delivery: &Delivery,
    directory: &Path,
) -> Result<(), CellError> {
    let report = &answer.report;
    if !delivery.quiet {
        output.settle(bundle::of_report(report, &report.text, true));
    }
    if let Some(file) = &delivery.file {
        fs::write(directory.join(file), format!("{}\n", report.text))
            .map_err(|error| cannot_write(file, &error))?;
        let saved = format!("*** Profile printout saved to text file '{file}'.\n");
        output.stream(Stream::Stdout, &saved);
    }
    if let (Some(file), Some(export)) = (&delivery.export, &answer.export) {
        let path = directory.join(file);
        let what = if let Some(format) = ChartFormat::of(&path) {
            let chart = export.chart.as_ref().ok_or_else(nothing_measured)?;
            write_chart(chart, &path, format)
                .map_err(|error| CellError::new("Error", format!("{error:#}")))?;
            "Plot"
        } else {
            fs::write(&path, &export.profile).map_err(|error| cannot_write(file, &error))?;
            "Profile"
        };
        output.stream(
            Stream::Stdout,
            &format!("*** {what} saved to file '{file}'.\n"),
        );
    }
    Ok(())
}

fn cannot_write(file: &str, error: &io::Error) -> CellError {
    CellError::new("Error", format!("cannot write to `{file}`: {error}"))
}
