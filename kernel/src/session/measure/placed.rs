//! Magics in blocks of cells, such as the body of a loop. A cell measures when the block runs, and the
//! report is shown at once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memit_instrument::is_called;
use memit_magics::MagicError;
use memit_magics::magic::{Compiled, Measurement, Named};
use memit_magics::split::{self, Placing};
use memit_measurement::{Failure, FailureKind, Placed, Remark};

use super::deliver;
use super::measurement_error::{failed, nothing_measured};
use super::scope;
use crate::compiler::probes::{self, Probes};
use crate::session::engine::ShowPlaced;
use crate::session::errors::{CellError, diagnostics};
use crate::session::evaluation::{Failed, Running, Written};
use crate::session::io::Output;

/// The magics in blocks of all cells: a later cell may call a function of an earlier one.
#[derive(Clone)]
pub(crate) struct PlacedMagics(Arc<Mutex<State>>);

struct State {
    /// The directory of the session's files.
    directory: PathBuf,
    /// The measurements by their numbers.
    measurements: Vec<Arc<dyn Measurement>>,
    /// The cells so far and their numbers, if a magic profiles functions.
    cells: Vec<String>,
    numbers: Vec<u64>,
    /// Why the running cell has ended.
    failure: Option<Stopped>,
}

/// Why a magic has ended its cell.
enum Stopped {
    /// The measurement has failed, with these remarks, and with this message if it covers a part of the run.
    Measurement(Box<Failure>, Vec<Remark>, Option<String>),
    /// The report could not be delivered.
    Delivery(CellError),
}

impl PlacedMagics {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(State {
            directory,
            measurements: Vec::new(),
            cells: Vec::new(),
            numbers: Vec::new(),
            failure: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the results of these magics.
    pub(crate) fn shower(&self) -> ShowPlaced {
        let magics = self.clone();
        Arc::new(move |placed, output| magics.show(placed, output))
    }

    fn show(&self, placed: Placed, output: &dyn Output) {
        let shown = self.answer(placed, output);
        if let Err(stopped) = shown {
            self.lock().failure.get_or_insert(stopped);
        }
    }

    fn answer(&self, placed: Placed, output: &dyn Output) -> Result<(), Stopped> {
        let Placed {
            magic,
            place,
            measured,
            remarks,
        } = placed;
        let found = {
            let state = self.lock();
            let measurement = state.measurements.get(magic as usize).cloned();
            measurement.map(|measurement| {
                let compiled = compiled(&state, measurement.functions());
                (measurement, compiled)
            })
        };
        let failure = measured.failure().cloned().map(Box::new);
        let Some((measurement, compiled)) = found else {
            return Err(Stopped::Delivery(nothing_measured()));
        };
        let answer = measurement.answer(measured, &compiled);
        let Some(mut answer) = answer else {
            return match failure {
                Some(failure) => Err(Stopped::Measurement(failure, remarks, None)),
                None => Err(Stopped::Delivery(nothing_measured())),
            };
        };
        answer.report = answer.report.with_remarks(&remarks).at(&place);
        deliver::show(output, &answer, measurement.delivery()).map_err(Stopped::Delivery)?;
        match failure {
            Some(failure) => Err(Stopped::Measurement(failure, remarks, answer.stopped)),
            None => Ok(()),
        }
    }
}

/// The functions with probes in the running cell that a magic names.
fn compiled(state: &State, named: &[Named]) -> Compiled {
    if named.is_empty() {
        return Compiled::default();
    }
    let written = Written {
        cells: &state.cells,
        numbers: &state.numbers,
    };
    let probed = probes::of_running(&state.directory).functions;
    let is_named = |name: &str| named.iter().any(|named| is_called(name, &named.name));
    let functions = probed.iter().filter(|function| is_named(&function.name));
    Compiled {
        functions: functions.map(|function| written.find(function)).collect(),
        ..Compiled::default()
    }
}

/// Advice for a cell that was compiled for a fork, and cannot be forked.
const THREADS: &str = "help: run the cell again: its magics then measure in the session itself";

/// Evaluates the Rust of a cell, with the magics in its blocks.
///
/// # Errors
///
/// If the cell or a measurement fails, or a magic cannot stand in its block.
pub(crate) fn evaluate(
    running: &mut Running<'_>,
    magics: &PlacedMagics,
    source: &str,
    last: bool,
) -> Result<(), CellError> {
    let result = evaluate_placed(running, magics, source, last);
    let stopped = magics.lock().failure.take();
    match (result, stopped) {
        (Err(_), Some(Stopped::Measurement(failure, remarks, message))) => {
            let error = failed(
                running.engine,
                &Probes::default(),
                &failure,
                &remarks,
                message,
                running.written.cells,
            );
            Err(match failure.cause {
                FailureKind::CannotFork { .. } => error.with_note(THREADS),
                _ => error,
            })
        }
        (_, Some(Stopped::Delivery(error))) => Err(error),
        (result, _) => result,
    }
}

fn evaluate_placed(
    running: &mut Running<'_>,
    magics: &PlacedMagics,
    source: &str,
    last: bool,
) -> Result<(), CellError> {
    let evaluated = |result: Result<(), Failed>| result.map_err(|failed| failed.error);
    let placed = split::placed(source, 0..source.len());
    if placed.is_empty() {
        return evaluated(running.evaluate(source, source, last, Some));
    }
    let mut scope = scope(running.engine, source);
    if running.engine.threads() > 1 {
        // Why the last cell had no checkpoint is also why the measurement cannot be a fork.
        let described = running.engine.describe();
        scope.cannot_fork = described.and_then(|described| described.unprotected);
    }
    let known = magics.lock().measurements.len();
    let first = u32::try_from(known).unwrap_or(u32::MAX);
    let Placing {
        generated,
        measurements,
    } = split::place(source, &placed, &scope, first).map_err(|error| {
        diagnostics::of_magic(&in_cell(error, source, running.code), running.code)
    })?;
    let functions = measurements.iter().flat_map(|of| of.functions());
    let names: Vec<&str> = functions.map(|named| named.name.as_str()).collect();
    running
        .engine
        .want_probes(&names)
        .map_err(|error| error.into_error(running.code, running.written.cells, |_| None))?;
    let mut state = magics.lock();
    let Written { cells, numbers } = running.written;
    (state.cells, state.numbers) = if names.is_empty() {
        Default::default()
    } else {
        (cells.to_vec(), numbers.to_vec())
    };
    let measurements = measurements.into_iter().map(Arc::from);
    state.measurements.extend(measurements);
    drop(state);
    let cell_line = |line| generated.cell_line(line);
    evaluated(running.evaluate(&generated.source, &generated.source, last, cell_line))
}

/// The error with its place in the cell. Lines and columns of `source` are those of the cell.
fn in_cell(error: MagicError, source: &str, cell: &str) -> MagicError {
    let before = &source[..error.span.start];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    let start = diagnostics::byte_at(cell, line, column).unwrap_or_default();
    MagicError {
        span: start..start + error.span.len(),
        ..error
    }
}
