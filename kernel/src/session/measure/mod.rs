//! Runs measurements and delivers their answers.

mod deliver;
mod measurement_error;
mod placed;

pub(super) use placed::{PlacedMagics, evaluate};

use memit_instrument::is_called;
use memit_magics::cell::snippet::Scope;
use memit_magics::magic::Named;
use memit_magics::magic::{Answer, Compiled, Measurement};
use memit_measurement::{Failure, FailureKind, Measured, Remark, TimelineMeasurement};

use crate::compiler::probes::{Probed, Probes, Problem};
use crate::session::engine::{self, Engine, EvaluationError};
use crate::session::errors::{CellError, diagnostics};
use crate::session::evaluation::{Failed, Running, Written};
use crate::session::variable_list;
use measurement_error::{explained, failed, nothing_measured, of_problem};

/// Measures and delivers the answer. `last` says that the cell ends with the magic.
///
/// # Errors
///
/// If the cell fails. The answer of a timeline that ended early is delivered before.
pub(crate) fn measure(
    running: &mut Running<'_>,
    measurement: &dyn Measurement,
    last: bool,
) -> Result<(), CellError> {
    running.engine.draw_by(measurement.preview());
    let measured = if measurement.is_kept() {
        let is_value = last && !measurement.delivery().returned;
        keep(running, measurement, is_value)
    } else {
        run(running, measurement)
    };
    running.engine.draw_by(None);
    let (answer, error) = measured?;
    deliver::deliver(running, &answer, measurement.delivery())?;
    error.map_or(Ok(()), Err)
}

/// The answer to show, and the error if the run ended early.
type Outcome = Result<(Answer, Option<CellError>), CellError>;

/// Runs a measurement whose effects on the session are discarded.
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
    let mut scope = scope(engine, *written, code);
    loop {
        let generated = measurement
            .code(&scope)
            .map_err(|error| diagnostics::of_magic(&error, code))?;
        let evaluated = engine.evaluate_probed(&generated.source, &names);
        let measured = engine.take_measured();
        let mut remarks = engine.take_remarks();
        remarks.extend(scope.cannot_fork.clone().map(|why| Remark::InPlace { why }));
        let probes = engine.take_probes();
        if let Some(problem) = &probes.problem
            && (evaluated.is_ok() || !matches!(problem, Problem::Compile { .. }))
        {
            return Err(diagnostics::of_magic(&of_problem(problem, functions), code));
        }
        let outputs = match evaluated {
            Ok((outputs, _)) => outputs,
            Err(EvaluationError::Compile { .. }) if generated.in_batches => {
                scope.batches = false;
                continue;
            }
            Err(failure) => {
                let cause = failure.of_run();
                let error = explained(failure, measurement, &scope, &generated, code, cells);
                let in_place = !scope.isolated();
                let answer = answer_until(measured, cause, in_place, measurement);
                return answer.map_or(Err(error.clone()), |answer| Ok((answer, Some(error))));
            }
        };
        match measured {
            // A thread of the session cannot be forked: measure in place.
            Some(Measured::Failed(Failure {
                cause: FailureKind::CannotFork { why },
                ..
            })) if scope.isolated() => scope.cannot_fork = Some(why),
            Some(Measured::Failed(failure)) => {
                return Err(failed(engine, &probes, &failure, &remarks, None, cells));
            }
            Some(measured) => {
                let plain = measurement.plain_code(&measured, &scope);
                let compiled = Compiled {
                    time: engine::compile_time(&outputs),
                    plain_ns: plain.and_then(|plain| plain_ns(engine, &plain.source)),
                    variables: variable_list::in_order(engine, *written),
                    functions: in_order(&probes.functions, functions)
                        .into_iter()
                        .map(|function| written.find(function))
                        .collect(),
                };
                let failure = measured.failure().cloned();
                let answer = measurement.answer(measured, &compiled);
                let answer = answer.ok_or_else(nothing_measured)?;
                let answer = answer.with_remarks(&remarks);
                let stopped = || answer.stopped.clone();
                let error = failure
                    .map(|failure| failed(engine, &probes, &failure, &remarks, stopped(), cells));
                return Ok((answer, error));
            }
            None => return Err(nothing_measured()),
        }
    }
}

/// Time of the statements without probes in nanoseconds; `None` if they did not run to their end.
fn plain_ns(engine: &mut Engine, source: &str) -> Option<u64> {
    let evaluated = engine.evaluate_probed(source, &[]);
    let measured = engine.take_measured();
    engine.take_probes();
    match (evaluated, measured?) {
        (Ok(_), Measured::Lines(lines)) if lines.failure.is_none() => Some(lines.wall_ns),
        _ => None,
    }
}

/// What `code` finds in the session.
fn scope(engine: &mut Engine, written: Written<'_>, code: &str) -> Scope {
    Scope {
        variables: engine.variables(),
        session: variable_list::in_order(engine, written),
        cannot_fork: None,
        has_tokio: code.contains("await") && engine.depends_on("tokio"),
        placed: None,
        batches: true,
    }
}

/// Runs the statements of a measurement as an ordinary cell, whose effects are kept.
fn keep(running: &mut Running<'_>, measurement: &dyn Measurement, last: bool) -> Outcome {
    let code = running.code;
    let scope = scope(running.engine, running.written, code);
    let generated = measurement
        .code(&scope)
        .map_err(|error| diagnostics::of_magic(&error, code))?;
    let cell_line = |line| generated.cell_line(line);
    let before = running.engine.spent().compiled();
    let evaluated = running.evaluate(&generated.source, &generated.users(), last, cell_line);
    let measured = running.engine.take_measured();
    match (evaluated, measured) {
        (Ok(()), Some(Measured::Failed(failure))) => Err(failed(
            running.engine,
            &Probes::default(),
            &failure,
            &[],
            None,
            running.written.cells,
        )),
        (Ok(()), Some(measured)) => {
            let compiled = Compiled {
                time: running.engine.spent().compiled().saturating_sub(before),
                ..Compiled::default()
            };
            let answer = measurement.answer(measured, &compiled);
            Ok((answer.ok_or_else(nothing_measured)?, None))
        }
        (Ok(()), None) => Err(nothing_measured()),
        (Err(Failed { error, cause }), measured) => {
            let cause = cause.map(|cause| *cause);
            let answer = answer_until(measured, cause, true, measurement);
            answer.map_or(Err(error.clone()), |answer| Ok((answer, Some(error))))
        }
    }
}

/// The answer of a timeline that was recorded until its process ended.
fn answer_until(
    measured: Option<Measured>,
    cause: Option<FailureKind>,
    in_place: bool,
    measurement: &dyn Measurement,
) -> Option<Answer> {
    let Measured::Timeline(timeline) = measured? else {
        return None;
    };
    let failure = Failure {
        cause: cause?,
        peak_rss: None,
        threads: timeline.threads,
        in_place,
        needs_fresh: false,
    };
    let timeline = TimelineMeasurement {
        failure: Some(failure),
        ..timeline
    };
    measurement.answer(Measured::Timeline(timeline), &Compiled::default())
}

/// Of the functions with probes, those that the user named, in the order in which the user named them.
fn in_order<'a>(probed: &'a [Probed], named: &[Named]) -> Vec<&'a Probed> {
    let place = |function: &Probed| {
        named
            .iter()
            .position(|named| is_called(&function.name, &named.name))
    };
    let mut ordered: Vec<_> = probed
        .iter()
        .filter(|function| place(function).is_some())
        .collect();
    ordered.sort_by_key(|function| place(function));
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_stand_in_the_order_of_the_options() {
        let probed = |name: &str| Probed {
            name: name.to_owned(),
            first: 1,
            source: Vec::new(),
            precision: None,
        };
        let named = |name: &str| Named {
            name: name.to_owned(),
            span: 0..0,
        };
        let all = ["f", "S::f", "g", "m::h"].map(probed);
        let order = |names: &[&str]| -> Vec<String> {
            let named: Vec<_> = names.iter().map(|name| named(name)).collect();
            let ordered = in_order(&all, &named).into_iter();
            ordered.map(|function| function.name.clone()).collect()
        };
        assert_eq!(order(&["g", "S::f"]), ["g", "S::f"]);
        // A name that fits several functions stands for them in the order of the source.
        assert_eq!(order(&["h", "f"]), ["m::h", "f", "S::f"]);
        assert_eq!(order(&["S::f", "f"]), ["S::f", "f"]);
        assert_eq!(order(&[]), [""; 0]);
    }
}
