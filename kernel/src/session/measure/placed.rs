//! Magics in blocks of cells, such as the body of a loop. A cell measures when the block runs, and the
//! report is shown at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memit_lines::SourceFunction;
use memit_magics::MagicError;
use memit_magics::magic::{Compiled, Measurement};
use memit_magics::split::{self, Placing};
use memit_measurement::{Failure, FailureKind, Placed, Remark};

use super::deliver;
use super::measurement_error::{failed, nothing_measured};
use super::{in_order, scope};
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
    /// The measurement has failed.
    Measurement(Box<FailedMeasurement>),
    /// The report could not be delivered.
    Delivery(CellError),
}

struct FailedMeasurement {
    failure: Failure,
    remarks: Vec<Remark>,
    /// The message, if the measurement covers a part of the run.
    message: Option<String>,
    /// The probes of the running cell.
    probes: Probes,
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
        Arc::new(move |placed, output, directory| magics.show(placed, output, directory))
    }

    fn show(&self, placed: Placed, output: &dyn Output, directory: &Path) {
        let shown = self.answer(placed, output, directory);
        if let Err(stopped) = shown {
            self.lock().failure.get_or_insert(stopped);
        }
    }

    /// The measurement with this number, the probes of the running cell, and the functions that the
    /// measurement names.
    fn find(&self, magic: u32) -> Option<(Arc<dyn Measurement>, Probes, Vec<SourceFunction>)> {
        let state = self.lock();
        let measurement = Arc::clone(state.measurements.get(magic as usize)?);
        let probes = probes::of_running(&state.directory);
        let written = Written {
            cells: &state.cells,
            numbers: &state.numbers,
        };
        let functions = in_order(&probes.functions, measurement.functions()).into_iter();
        let functions = functions.map(|function| written.find(function)).collect();
        Some((measurement, probes, functions))
    }

    fn answer(&self, placed: Placed, output: &dyn Output, directory: &Path) -> Result<(), Stopped> {
        let Placed {
            magic,
            place,
            measured,
            remarks,
            plain_ns,
        } = placed;
        let Some((measurement, probes, functions)) = self.find(magic) else {
            return Err(Stopped::Delivery(nothing_measured()));
        };
        let compiled = Compiled {
            functions,
            plain_ns,
            ..Compiled::default()
        };
        let failure = measured.failure().cloned();
        let answer = measurement.answer(measured, &compiled);
        let message = answer.as_ref().and_then(|answer| answer.stopped.clone());
        let shown = match answer {
            Some(answer) => {
                let mut answer = answer.with_remarks(&remarks);
                answer.report = answer.report.at(&place);
                deliver::show(output, &answer, measurement.delivery(), directory)
            }
            None if failure.is_some() => Ok(()),
            None => Err(nothing_measured()),
        };
        shown.map_err(Stopped::Delivery)?;
        match failure {
            Some(failure) => Err(Stopped::Measurement(Box::new(FailedMeasurement {
                failure,
                remarks,
                message,
                probes,
            }))),
            None => Ok(()),
        }
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
        (Err(_), Some(Stopped::Measurement(measurement))) => {
            let FailedMeasurement {
                failure,
                remarks,
                message,
                probes,
            } = *measurement;
            let cells = running.written.cells;
            let error = failed(running.engine, &probes, &failure, &remarks, message, cells);
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
    let mut scope = scope(running.engine, running.written, source);
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
        .want_probes(&names, true)
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
    let (line, column) = diagnostics::line_and_column(source, error.span.start);
    let start = diagnostics::byte_at(cell, line, column).unwrap_or_default();
    MagicError {
        span: start..start + error.span.len(),
        ..error
    }
}
