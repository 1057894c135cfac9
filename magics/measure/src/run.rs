//! One run of a compiled snippet, in a fork or in place, and how it came out.

use std::io;

use memit_measurement::{Failure, FailureKind, Panic};
use memit_session::abi::{Body, Ending};

use crate::board::Board;
use crate::fork::{self, Finished, Limits, Watcher};
use crate::host::Host;
use crate::measuring::{self, Measuring};
use crate::{panic, settle};

/// First number of every board: how the snippet's code ended. 0 is "not yet".
const ENDING: usize = 0;
/// Where the numbers of a measurement begin.
pub(crate) const FIGURES: usize = 1;

/// Runs the snippet in a fork of the session with the measurement that `make` makes there.
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
    board.clear();
    let finished = fork::run(host.control(), limits, watcher, || {
        settle::map_code(&host.cell());
        measuring::install(make());
        let ending = run_body(body);
        conclude(board, ending);
        0
    });
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            let message = format!("the session cannot fork: {error}");
            return Err(failure(host, FailureKind::System { message }, None));
        }
    };
    let outcome = match finished.ending {
        fork::Ending::TimedOut => {
            let seconds = limits.timeout.unwrap_or_default().as_secs_f64();
            Err(FailureKind::TimedOut { seconds })
        }
        fork::Ending::Interrupted => Err(FailureKind::Interrupted),
        fork::Ending::Signalled(number) => Err(FailureKind::Signal { number }),
        fork::Ending::Exited(code) => match Ending::from_number(board.get(ENDING)) {
            Some(ending) => check(ending, board),
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
        return Err(failure(host, FailureKind::Interrupted, None));
    }
    board.clear();
    settle::map_code(&host.cell());
    measuring::install(make());
    let ending = run_body(body);
    measuring::remove();
    conclude(board, ending);
    panic::flush();
    let outcome = if interrupted() {
        Err(FailureKind::Interrupted)
    } else {
        check(ending, board)
    };
    outcome.map_err(|cause| failure(host, cause, None))
}

fn run_body(body: Body) -> Ending {
    // SAFETY: whoever called the entry point with this body has promised that the body may be run
    // until the entry point returns.
    unsafe { body.run() }
}

/// Writes down how the snippet's code ended, with the text that belongs to it.
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
            // A message that was cut is no JSON any more; it is still worth showing.
            let panic = serde_json::from_str(&text).unwrap_or_else(|_| Panic {
                message: text,
                ..Panic::default()
            });
            Err(FailureKind::Panic(panic))
        }
    }
}

/// The failure of a measurement that the system has refused something.
pub(crate) fn refused(host: &Host, error: &io::Error) -> Failure {
    let message = error.to_string();
    failure(host, FailureKind::System { message }, None)
}

/// The failure with what is known around it.
pub(crate) fn failure(host: &Host, cause: FailureKind, peak_rss: Option<u64>) -> Failure {
    Failure {
        cause,
        peak_rss,
        threads: host.threads(),
    }
}
