//! Magics in a cell: compiled, run, reported.

use memit_magics::cell::{MagicText, Request};
use memit_magics::magic::{Action, Answer, Delivery, Measurement};
use memit_magics::report::Report;
use memit_magics::snippet::{Generated, Scope};
use memit_magics::{failure, help};
use memit_runtime::measurement::{Failure, FailureKind, Measured};

use super::engine::{self, Engine};
use super::error::CellError;
use super::history::History;
use super::output::{MimeBundle, Output};
use super::{bundle, describe, diagnostics, panic_site};

/// The MIME type of our own results.
const RESULT_MIME: &str = "application/vnd.memit+json";

/// Runs one magic of the cell `code`.
pub(crate) fn run(
    engine: &mut Engine,
    history: &mut History,
    magic: &MagicText,
    code: &str,
    cells: &[String],
    output: &dyn Output,
) -> Result<(), CellError> {
    let of_magic = |error| diagnostics::of_magic(&error, code);
    let (magic, call) = match magic.request(code).map_err(of_magic)? {
        Request::Help(magic) => {
            output.display(bundle::of_text(&help::of(magic)));
            return Ok(());
        }
        Request::Run(magic, call) => (magic, call),
    };
    match magic.resolve(&call).map_err(of_magic)? {
        Action::Show(text) => output.display(bundle::of_text(&text)),
        Action::Measure(measurement) => {
            let answer = measure(engine, measurement.as_ref(), code, cells)?;
            deliver(engine, history, &answer, measurement.delivery(), output)?;
        }
        Action::DescribeSession => {
            let text = describe::session(engine.describe().as_ref(), history);
            output.display(bundle::of_text(&text));
        }
        Action::Undo => {
            let text = history.undo(engine)?;
            output.display(bundle::of_text(&text));
        }
    }
    Ok(())
}

fn measure(
    engine: &mut Engine,
    measurement: &dyn Measurement,
    code: &str,
    cells: &[String],
) -> Result<Answer, CellError> {
    let mut scope = Scope {
        variables: engine.variables(),
        threads: engine.threads(),
    };
    loop {
        let generated = measurement
            .code(&scope)
            .map_err(|error| diagnostics::of_magic(&error, code))?;
        let (outputs, told) = engine
            .evaluate_passing(&generated.source)
            .map_err(|failure| explained(failure, measurement, &scope, &generated, code, cells))?;
        match told.measured {
            // A thread was started since the threads were counted.
            Some(Measured::Failed(Failure {
                cause: FailureKind::CannotFork,
                threads,
                ..
            })) if scope.isolated() => {
                scope.threads = threads.max(2);
            }
            Some(Measured::Failed(failure)) => {
                return Err(failed(engine, &failure, cells));
            }
            Some(measured) => {
                let compile_time = engine::compile_time(&outputs);
                return measurement
                    .answer(measured, compile_time)
                    .ok_or_else(nothing_measured);
            }
            None => return Err(nothing_measured()),
        }
    }
}

fn nothing_measured() -> CellError {
    CellError::new(
        "MeasurementError",
        "the session did not report a measurement",
    )
}

/// A compile error, with what the magic knows about its cause.
fn explained(
    failure: engine::Failure,
    measurement: &dyn Measurement,
    scope: &Scope,
    generated: &Generated,
    code: &str,
    cells: &[String],
) -> CellError {
    let explanation = match &failure {
        engine::Failure::Compile(errors) => errors
            .iter()
            .find_map(|error| measurement.explain(error.code().unwrap_or_default(), scope)),
        _ => None,
    };
    let error = failure.into_error(code, cells, |line| generated.cell_line(line));
    match explanation {
        Some(explanation) => error.with_note(format!("note: {explanation}")),
        None => error,
    }
}

/// The error of a snippet that did not finish.
fn failed(engine: &Engine, cause: &Failure, cells: &[String]) -> CellError {
    let error = match &cause.cause {
        FailureKind::Panic(panic) => panic_site::error(panic, &engine.last_source(), cells),
        _ => CellError::new(failure::name(cause), failure::message(cause)),
    };
    match failure::note(cause) {
        Some(note) => error.with_note(note),
        None => error,
    }
}

fn deliver(
    engine: &mut Engine,
    history: &mut History,
    answer: &Answer,
    delivery: &Delivery,
    output: &dyn Output,
) -> Result<(), CellError> {
    let Report {
        text,
        html,
        json,
        repr,
    } = &answer.report;
    let bundle = |text: &str| {
        let mut bundle: MimeBundle = bundle::of_text(text);
        bundle.insert(RESULT_MIME.to_owned(), json.clone());
        bundle
    };
    if !delivery.quiet {
        let mut shown = bundle(text);
        shown.insert("text/html".to_owned(), html.as_str().into());
        output.display(shown);
    }
    if let Some(name) = &delivery.variable {
        let value = &answer.value;
        let source = format!("{}\nlet {name} = {};", value.items, value.expr);
        engine
            .evaluate(&source)
            .map_err(|failure| failure.into_error("", &[], |_| None))?;
        history.evaluated(&source);
    }
    if delivery.returned {
        output.result(bundle(repr));
    }
    Ok(())
}
