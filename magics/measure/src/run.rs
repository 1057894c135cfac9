//! One run of a compiled snippet, in a fork or in place, and how it came out.

use std::ffi::c_void;
use std::io;

use crate::board::Board;
use crate::fork::{self, Ending, Finished, Limits, Watcher};
use crate::measurement::{Failure, FailureKind, Panic};
use crate::probe::{self, Probe};
use crate::session::Session;
use crate::{panic, settle};

/// The snippet as the cell's code passes it: a function and its only argument.
#[derive(Clone, Copy)]
pub(crate) struct Body {
    /// Returns the code of an [`Outcome`].
    pub(crate) call: unsafe extern "C" fn(*mut c_void) -> u32,
    /// What `call` is called with.
    pub(crate) data: *mut c_void,
}

impl Body {
    fn run(self) -> u32 {
        // SAFETY: the cell's code passes a function together with the argument it takes, and
        // both live until the entry point that was given them returns.
        unsafe { (self.call)(self.data) }
    }
}

/// First number of every board: how the snippet's code ended. 0 is "not yet".
const OUTCOME: usize = 0;
/// Where the numbers of a measurement begin.
pub(crate) const FIGURES: usize = 1;

/// How a snippet's code ended, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Finished = 1,
    Returned = 2,
    Panicked = 3,
}

impl Outcome {
    fn from_code(code: u64) -> Option<Self> {
        [Self::Finished, Self::Returned, Self::Panicked]
            .into_iter()
            .find(|outcome| *outcome as u64 == code)
    }
}

/// Runs the snippet in a fork of the session with the probe that `make_probe` makes there.
///
/// # Errors
///
/// The failure of the snippet or of the system.
pub(crate) fn in_fork(
    session: &'static Session,
    body: Body,
    board: &Board,
    limits: Limits,
    watcher: Option<Watcher<'_>>,
    make_probe: impl FnOnce() -> Probe,
) -> Result<Finished, Failure> {
    board.clear();
    let finished = fork::run(session.control(), limits, watcher, || {
        settle::map_code(&session.cell());
        probe::install(make_probe());
        let code = body.run();
        conclude(board, code);
        0
    });
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            let message = format!("the session cannot fork: {error}");
            return Err(failure(session, FailureKind::System { message }, None));
        }
    };
    let outcome = match finished.ending {
        Ending::TimedOut => {
            let seconds = limits.timeout.unwrap_or_default().as_secs_f64();
            Err(FailureKind::TimedOut { seconds })
        }
        Ending::Interrupted => Err(FailureKind::Interrupted),
        Ending::Signalled(number) => Err(FailureKind::Signal { number }),
        Ending::Exited(code) => match Outcome::from_code(board.get(OUTCOME)) {
            Some(outcome) => check(outcome, board),
            None => Err(FailureKind::Exit { code }),
        },
    };
    match outcome {
        Ok(()) => Ok(finished),
        Err(cause) => Err(failure(session, cause, Some(finished.max_rss))),
    }
}

/// Runs the snippet in the session process itself.
///
/// # Errors
///
/// As [`in_fork`].
pub(crate) fn in_place(
    session: &'static Session,
    body: Body,
    board: &Board,
    make_probe: impl FnOnce() -> Probe,
) -> Result<(), Failure> {
    let interrupted = || session.control().interrupted();
    if interrupted() {
        return Err(failure(session, FailureKind::Interrupted, None));
    }
    board.clear();
    settle::map_code(&session.cell());
    probe::install(make_probe());
    let code = body.run();
    probe::remove();
    conclude(board, code);
    panic::flush();
    let outcome = match Outcome::from_code(board.get(OUTCOME)) {
        _ if interrupted() => Err(FailureKind::Interrupted),
        Some(outcome) => check(outcome, board),
        None => Err(FailureKind::System {
            message: format!("the snippet ended with {code}"),
        }),
    };
    outcome.map_err(|cause| failure(session, cause, None))
}

/// Writes down how the snippet's code ended, with the text that belongs to it.
pub(crate) fn conclude(board: &Board, code: u32) {
    let code = u64::from(code);
    if Outcome::from_code(code) == Some(Outcome::Panicked) {
        let panic = panic::take().unwrap_or_default();
        board.set_text(&serde_json::to_string(&panic).unwrap_or_default());
    }
    board.set(OUTCOME, code);
}

fn check(outcome: Outcome, board: &Board) -> Result<(), FailureKind> {
    match outcome {
        Outcome::Finished => Ok(()),
        Outcome::Returned => Err(FailureKind::Returned {
            error: board.text(),
        }),
        Outcome::Panicked => {
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
pub(crate) fn refused(session: &Session, error: &io::Error) -> Failure {
    let message = error.to_string();
    failure(session, FailureKind::System { message }, None)
}

/// The failure with what is known around it.
pub(crate) fn failure(session: &Session, cause: FailureKind, peak_rss: Option<u64>) -> Failure {
    Failure {
        cause,
        peak_rss,
        threads: session.threads(),
    }
}
