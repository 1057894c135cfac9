//! Measurements: compiled, run, answered.

mod deliver;

use memit_instrument::is_called;
use memit_magics::magic::{Answer, Compiled, Measurement};
use memit_magics::profiled::Named;
use memit_magics::snippet::{Generated, Scope};
use memit_magics::{MagicError, failure};
use memit_runtime::measurement::{Failure, FailureKind, Measured, TimelineMeasurement};

use crate::compiler::probes::{Probed, Problem};
use crate::session::engine::{self, Engine, EvaluationError};
use crate::session::errors::{CellError, diagnostics, panic_site};
use crate::session::evaluation::{Failed, Running, explained as explained_problem};

/// Measures, and delivers the answer. `last` says that the cell ends with the magic.
///
/// # Errors
///
/// How the cell failed. A measurement over time that did not come to its end is delivered first.
pub(crate) fn measure(
    running: &mut Running<'_>,
    measurement: &dyn Measurement,
    last: bool,
) -> Result<(), CellError> {
    running.engine.draw_by(measurement.preview());
    let measured = if measurement.is_kept() {
        keep(running, measurement, last)
    } else {
        run(running, measurement)
    };
    running.engine.draw_by(None);
    let (answer, error) = measured?;
    deliver::deliver(running, &answer, measurement.delivery())?;
    error.map_or(Ok(()), Err)
}

/// What there is to show, and the error of a run that did not come to its end.
type Outcome = Result<(Answer, Option<CellError>), CellError>;

fn run(running: &mut Running<'_>, measurement: &dyn Measurement) -> Outcome {
    let Running {
        engine,
        code,
        written,
        ..
    } = running;
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
        let measured = engine.take_measured();
        let probes = engine.take_probes();
        if let Some(problem) = &probes.problem
            && (evaluated.is_ok() || !matches!(problem, Problem::Compile { .. }))
        {
            return Err(diagnostics::of_magic(&of_problem(problem, functions), code));
        }
        let outputs = match evaluated {
            Ok((outputs, _)) => outputs,
            Err(failure) => {
                let cause = failure.of_run();
                let error = explained(failure, measurement, &scope, &generated, code, cells);
                let answer = answer_until(measured, cause, scope.threads, measurement);
                return answer.map_or(Err(error.clone()), |answer| Ok((answer, Some(error))));
            }
        };
        match measured {
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
                    Measured::Timeline(timeline) => timeline.failure.clone(),
                    _ => None,
                };
                let answer = measurement.answer(measured, &compiled);
                let answer = answer.ok_or_else(nothing_measured)?;
                let error =
                    failure.map(|failure| failed(engine, &failure, answer.stopped.clone(), cells));
                return Ok((answer, error));
            }
            None => return Err(nothing_measured()),
        }
    }
}

/// Runs the statements of a measurement as an ordinary cell.
fn keep(running: &mut Running<'_>, measurement: &dyn Measurement, last: bool) -> Outcome {
    let code = running.code;
    let scope = Scope {
        variables: running.engine.variables(),
        threads: running.engine.threads(),
    };
    let generated = measurement
        .code(&scope)
        .map_err(|error| diagnostics::of_magic(&error, code))?;
    let cell_line = |line| generated.cell_line(line);
    let evaluated = running.evaluate(&generated.source, &generated.users(), last, cell_line);
    let measured = running.engine.take_measured();
    match (evaluated, measured) {
        (Ok(()), Some(Measured::Failed(failure))) => Err(failed(
            running.engine,
            &failure,
            None,
            running.written.cells,
        )),
        (Ok(()), Some(measured)) => {
            let answer = measurement.answer(measured, &Compiled::default());
            Ok((answer.ok_or_else(nothing_measured)?, None))
        }
        (Ok(()), None) => Err(nothing_measured()),
        (Err(Failed { error, cause }), measured) => {
            let cause = cause.map(|cause| *cause);
            let answer = answer_until(measured, cause, scope.threads, measurement);
            answer.map_or(Err(error.clone()), |answer| Ok((answer, Some(error))))
        }
    }
}

/// What was measured over time until the process that ran the statements came to its end.
fn answer_until(
    measured: Option<Measured>,
    cause: Option<FailureKind>,
    threads: u32,
    measurement: &dyn Measurement,
) -> Option<Answer> {
    let Measured::Timeline(timeline) = measured? else {
        return None;
    };
    let failure = Failure {
        cause: cause?,
        peak_rss: None,
        threads,
    };
    let timeline = TimelineMeasurement {
        failure: Some(failure),
        ..timeline
    };
    measurement.answer(Measured::Timeline(timeline), &Compiled::default())
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
    MagicError::new(explained_problem(problem), span.unwrap_or_default())
}

fn nothing_measured() -> CellError {
    CellError::new(
        "MeasurementError",
        "the session did not report a measurement",
    )
}

/// A compile error, with what the magic knows about its cause.
fn explained(
    failure: EvaluationError,
    measurement: &dyn Measurement,
    scope: &Scope,
    generated: &Generated,
    code: &str,
    cells: &[String],
) -> CellError {
    let explanation = match &failure {
        EvaluationError::Compile(errors) => errors
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
