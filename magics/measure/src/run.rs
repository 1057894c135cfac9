//! One run of a compiled snippet, in a fork or in place, and its outcome.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memit_measurement::{Failure, FailureKind, Panic};
use memit_session::abi::{Body, Ending};

use crate::board::Board;
use crate::copies::NoCopy;
use crate::fork::{self, Finished, Limits, Watcher};
use crate::host::{self, Host};
use crate::measuring::{self, Measuring};
use crate::{outlasting, panic, settle};

/// Index of the first number of every board: how the snippet's code ended, or 0 until it has ended.
const ENDING: usize = 0;
/// Index of the number of threads that still ran when a measurement took its last readings.
const OUTLASTING: usize = 1;
/// Index of the first number of a measurement.
pub(crate) const FIGURES: usize = 2;

/// Runs the snippet in a fork of the session, where `make` makes the measurement.
///
/// # Errors
///
/// The failure of the snippet or of the system.
pub(crate) fn in_fork<M: Measuring + 'static>(
    host: &'static Host,
    body: Body,
    board: &Board,
    limits: Limits,
    watcher: Option<Watcher<'_>>,
    make: impl FnOnce() -> M,
) -> Result<Finished, Failure> {
    begin(board);
    let finished = fork::run(host.control(), limits, watcher, || {
        settle::map_code(&host.cell());
        measuring::install(make());
        let ending = run_body(body);
        conclude(board, ending);
        0
    });
    let finished = match finished {
        Ok(finished) => finished,
        Err(NoCopy::Threads(error)) => {
            let why = error.to_string();
            return Err(failure(host, FailureKind::CannotFork { why }, None));
        }
        Err(NoCopy::Refused(error)) => {
            let message = format!("the session cannot fork: {error}");
            return Err(failure(host, FailureKind::System { message }, None));
        }
    };
    host.remark(finished.remarks.iter().cloned());
    host.remark(board.lazy());
    let outcome = match finished.ending {
        fork::ProcessEnd::TimedOut => {
            let seconds = limits.timeout.unwrap_or_default().as_secs_f64();
            Err(FailureKind::TimedOut { seconds })
        }
        fork::ProcessEnd::Interrupted => Err(FailureKind::Interrupted),
        fork::ProcessEnd::Signalled(number) => Err(FailureKind::Signal { number }),
        fork::ProcessEnd::Exited(code) => match Ending::from_number(board.get(ENDING)) {
            Some(ending) => check(ending, board),
            None if code == fork::NO_THREADS && host.threads() > 1 => Err(FailureKind::System {
                message: "the system has refused a thread to the fork".to_owned(),
            }),
            None => Err(FailureKind::Exit { code }),
        },
    };
    match outcome {
        Ok(()) => Ok(finished),
        Err(cause) => Err(failure(host, cause, Some(finished.max_rss))),
    }
}

/// Runs the snippet in the session process itself.
///
/// # Errors
///
/// As [`in_fork`].
pub(crate) fn in_place<M: Measuring + 'static>(
    host: &'static Host,
    body: Body,
    board: &Board,
    make: impl FnOnce() -> M,
) -> Result<(), Failure> {
    let interrupted = || host.control().interrupted();
    if interrupted() {
        return Err(in_place_failure(host, FailureKind::Interrupted));
    }
    begin(board);
    settle::map_code(&host.cell());
    measuring::install(make());
    let ending = run_body(body);
    measuring::remove();
    conclude(board, ending);
    host.remark(board.lazy());
    panic::flush();
    let outcome = if interrupted() {
        Err(FailureKind::Interrupted)
    } else {
        check(ending, board)
    };
    outcome.map_err(|cause| in_place_failure(host, cause))
}

/// Prepares the board for a run. The figures of an earlier run stay, so that a run can go on from
/// them.
fn begin(board: &Board) {
    board.set(ENDING, 0);
    board.set(OUTLASTING, 0);
    board.clear_notes();
}

fn run_body(body: Body) -> Ending {
    outlasting::statements_begin();
    // The first wait maps the code of the wait, so that the snippet's figures do not include it.
    wait_for_threads();
    // SAFETY: the caller of the entry point has promised that the body may run until the entry
    // point returns. The entry point has not returned, and a fork has a copy of everything that the
    // body uses.
    unsafe { body.run() }
}

/// Waits until the threads that the statements have started are done or the patience is over, which
/// it is only once for all waits of a run.
pub(crate) fn wait_for_threads() {
    let Some(board) = measuring::with(|measuring| Some(Arc::clone(measuring.board()))) else {
        return;
    };
    let patience = if board.get(OUTLASTING) > 0 {
        Duration::ZERO
    } else {
        outlasting::PATIENCE
    };
    let running = outlasting::wait(Instant::now() + patience, host::is_interrupted);
    board.set(OUTLASTING, running);
}

/// Number of threads that still ran when a measurement took its last readings.
pub(crate) fn outlasting(board: &Board) -> u32 {
    u32::try_from(board.get(OUTLASTING)).unwrap_or(u32::MAX)
}

/// Writes on the board how the snippet's code ended, with the panic if there was one.
pub(crate) fn conclude(board: &Board, ending: Ending) {
    if ending == Ending::Panicked {
        let panic = panic::take().unwrap_or_default();
        board.set_text(&serde_json::to_string(&panic).unwrap_or_default());
    }
    board.set(ENDING, ending.number());
}

fn check(ending: Ending, board: &Board) -> Result<(), FailureKind> {
    match ending {
        Ending::Finished => Ok(()),
        Ending::Returned => Err(FailureKind::Returned {
            error: board.text(),
        }),
        Ending::Panicked => {
            let text = board.text();
            // A truncated text is not valid JSON, but still worth showing.
            let panic = serde_json::from_str(&text).unwrap_or_else(|_| Panic {
                message: text,
                ..Panic::default()
            });
            Err(FailureKind::Panic(panic))
        }
    }
}

/// The failure of a measurement to which the system refused something.
pub(crate) fn refused(host: &Host, error: &io::Error) -> Failure {
    let message = error.to_string();
    failure(host, FailureKind::System { message }, None)
}

/// A failure with this cause, in this session.
pub(crate) fn failure(host: &Host, cause: FailureKind, peak_rss: Option<u64>) -> Failure {
    Failure {
        cause,
        peak_rss,
        threads: host.threads(),
        in_place: false,
        needs_fresh: false,
    }
}

fn in_place_failure(host: &Host, cause: FailureKind) -> Failure {
    Failure {
        in_place: true,
        ..failure(host, cause, None)
    }
}
