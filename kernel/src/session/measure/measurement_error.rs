//! How measurements fail.

use memit_magics::cell::snippet::{Generated, Scope};
use memit_magics::magic::Measurement;
use memit_magics::magic::Named;
use memit_magics::{MagicError, failure};
use memit_measurement::{Failure, FailureKind, Remark};

use crate::compiler::probes::Problem;
use crate::session::engine::{Engine, EvaluationError};
use crate::session::errors::{CellError, panic_site};
use crate::session::evaluation;

/// Why functions cannot be profiled, pointing at the option that names them.
pub(super) fn of_problem(problem: &Problem, functions: &[Named]) -> MagicError {
    let of = match problem {
        Problem::Unknown { name, .. } | Problem::Const { name } => {
            functions.iter().find(|named| name.ends_with(&named.name))
        }
        Problem::Option { .. } | Problem::Compile { .. } => None,
    };
    let span = of.or(functions.first()).map(|named| named.span.clone());
    MagicError::new(evaluation::explained(problem), span.unwrap_or_default())
}

/// The error of a run that reports no measurement.
pub(super) fn nothing_measured() -> CellError {
    CellError::new(
        "MeasurementError",
        "the session did not report a measurement",
    )
}

/// The error of a failed evaluation, with the cause if the magic knows it.
pub(super) fn explained(
    failure: EvaluationError,
    measurement: &dyn Measurement,
    scope: &Scope,
    generated: &Generated,
    code: &str,
    cells: &[String],
) -> CellError {
    let explanation = match &failure {
        EvaluationError::Compile { errors, .. } => errors
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

/// The error of a snippet that did not finish. `message` replaces the message of the failure.
pub(super) fn failed(
    engine: &Engine,
    cause: &Failure,
    remarks: &[Remark],
    message: Option<String>,
    cells: &[String],
) -> CellError {
    let message = message.unwrap_or_else(|| failure::message(cause));
    let error = match &cause.cause {
        FailureKind::Panic(panic) => panic_site::error(panic, &engine.last_source(), cells),
        FailureKind::Interrupted => CellError::interrupted(),
        _ => CellError::new(failure::name(cause), message),
    };
    match failure::note(cause, remarks) {
        Some(note) => error.with_note(note),
        None => error,
    }
}
