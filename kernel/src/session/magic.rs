//! Magics in a cell: compiled, run, reported.

use std::fs;

use memit_instrument::is_called;
use memit_magics::cell::{MagicText, Request};
use memit_magics::magic::{Action, Answer, Compiled, Delivery, Measurement};
use memit_magics::profiled::Named;
use memit_magics::snippet::{Generated, Scope};
use memit_magics::{MagicError, failure, help};
use memit_runtime::measurement::{Failure, FailureKind, Measured};

use crate::compiler::probes::{Probed, Problem};

use super::engine::{self, Engine};
use super::error::CellError;
use super::history::History;
use super::output::{Output, Stream};
use super::profile::{self, Written};
use super::{bundle, describe, diagnostics, panic_site};

/// Runs one magic of the cell `code`.
pub(crate) fn run(
    engine: &mut Engine,
    history: &mut History,
    magic: &MagicText,
    code: &str,
    written: Written<'_>,
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
            let (answer, failure) = measure(engine, measurement.as_ref(), code, written)?;
            deliver(engine, history, &answer, measurement.delivery(), output)?;
            if let Some(failure) = failure {
                return Err(failed(engine, &failure, answer.stopped, written.cells));
            }
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

/// The answer, and the failure of a run that has something to show all the same.
fn measure(
    engine: &mut Engine,
    measurement: &dyn Measurement,
    code: &str,
    written: Written<'_>,
) -> Result<(Answer, Option<Failure>), CellError> {
    let cells = written.cells;
    let functions = measurement.functions();
    let names: Vec<_> = functions.iter().map(|named| named.name.as_str()).collect();
    let mut scope = Scope {
        variables: engine.variables(),
        threads: engine.threads(),
    };
    loop {
        let generated = measurement
            .code(&scope)
            .map_err(|error| diagnostics::of_magic(&error, code))?;
        let evaluated = engine.evaluate_probed(&generated.source, &names);
        let probes = engine.take_probes();
        if let Some(problem) = &probes.problem
            && (evaluated.is_ok() || !matches!(problem, Problem::Compile { .. }))
        {
            return Err(diagnostics::of_magic(&of_problem(problem, functions), code));
        }
        let (outputs, told) = evaluated
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
                return Err(failed(engine, &failure, None, cells));
            }
            Some(measured) => {
                let compiled = Compiled {
                    time: engine::compile_time(&outputs),
                    functions: in_order(&probes.functions, functions)
                        .map(|function| written.find(function))
                        .collect(),
                };
                let failure = match &measured {
                    Measured::Lines(lines) => lines.failure.clone(),
                    _ => None,
                };
                let answer = measurement.answer(measured, &compiled);
                return Ok((answer.ok_or_else(nothing_measured)?, failure));
            }
            None => return Err(nothing_measured()),
        }
    }
}

/// The functions with probes, in the order in which they were named.
fn in_order<'a>(probed: &'a [Probed], named: &'a [Named]) -> impl Iterator<Item = &'a Probed> {
    let place = |function: &&Probed| {
        named
            .iter()
            .position(|named| is_called(&function.name, &named.name))
    };
    let mut ordered: Vec<_> = probed.iter().collect();
    ordered.sort_by_key(place);
    ordered.into_iter()
}

/// Why functions could not be profiled, at the option that names them.
fn of_problem(problem: &Problem, functions: &[Named]) -> MagicError {
    let of = match problem {
        Problem::Unknown { name, .. } | Problem::Const { name } => {
            functions.iter().find(|named| name.ends_with(&named.name))
        }
        Problem::Option { .. } | Problem::Compile { .. } => None,
    };
    let span = of.or(functions.first()).map(|named| named.span.clone());
    MagicError::new(profile::explained(problem), span.unwrap_or_default())
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

/// The error of a snippet that did not finish; `message` may tell more than the failure does.
fn failed(
    engine: &Engine,
    cause: &Failure,
    message: Option<String>,
    cells: &[String],
) -> CellError {
    let message = message.unwrap_or_else(|| failure::message(cause));
    let error = match &cause.cause {
        FailureKind::Panic(panic) => panic_site::error(panic, &engine.last_source(), cells),
        FailureKind::Interrupted => CellError::interrupted(),
        _ => CellError::new(failure::name(cause), message),
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
    let report = &answer.report;
    if !delivery.quiet {
        output.display(bundle::of_report(report, &report.text, true));
    }
    if let Some(file) = &delivery.file {
        fs::write(file, format!("{}\n", report.text)).map_err(|error| {
            CellError::new("Error", format!("cannot write to `{file}`: {error}"))
        })?;
        let told = format!("*** Profile printout saved to text file '{file}'.\n");
        output.stream(Stream::Stdout, &told);
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
        output.result(bundle::of_report(report, &report.repr, false));
    }
    Ok(())
}
