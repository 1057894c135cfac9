//! The error of an evaluation, and what the user sees of it.

use memit_measurement::Ended;
use memit_measurement::{FailureKind, Panic, QuestionMark};

use super::Inserted;
use super::long_error::{LeftOut, shortened};
use crate::session::errors::{CellError, Explanations, compiler, panic_site, question_mark};

/// Why an evaluation failed.
pub(crate) enum EvaluationError {
    /// The source does not compile.
    Compile {
        errors: Vec<evcxr::CompilationError>,
        /// The compiled source.
        bound: Inserted,
        explanations: Explanations,
    },
    /// The session does not have these variables.
    Lost(Vec<String>),
    /// The code panicked. The line of the panic is a line of the compiled source.
    Panic(Panic, Stopped),
    /// The code ended at a `?`. The line of the `?` is a line of the compiled source.
    Failed(QuestionMark, Stopped),
    /// The session process ended. The flag says whether a checkpoint has restored the session.
    Ended(Option<Ended>, bool),
    /// The session process could not be started, for this reason.
    NotStarted(String),
    /// evcxr failed, with this message.
    Other(String),
}

/// What remains of code that stopped early.
pub(crate) struct Stopped {
    /// The compiled source.
    pub(crate) source: String,
    /// Whether a checkpoint has restored the session.
    pub(crate) is_restored: bool,
}

impl Stopped {
    /// The error of the code, with a word about changes that stay.
    fn noted(&self, error: CellError) -> CellError {
        if self.is_restored {
            error
        } else {
            error.with_note(CHANGES_STAY)
        }
    }
}

impl EvaluationError {
    /// The same failure in terms of a measured run; `None` if the code did not run.
    pub(crate) fn of_run(&self) -> Option<FailureKind> {
        match self {
            Self::Panic(panic, _) => Some(FailureKind::Panic(panic.clone())),
            Self::Failed(failed, _) => Some(FailureKind::Returned {
                error: failed.debug.clone(),
            }),
            Self::Ended(Some(Ended::Interrupted), _) => Some(FailureKind::Interrupted),
            Self::Ended(Some(Ended::Signal(number)), _) => {
                Some(FailureKind::Signal { number: *number })
            }
            Self::Ended(Some(Ended::Exit(code)), _) => Some(FailureKind::Exit { code: *code }),
            Self::Ended(None | Some(Ended::Trouble), _) => Some(FailureKind::System {
                message: ENDED.to_owned(),
            }),
            Self::Compile { .. } | Self::Lost(_) | Self::NotStarted(_) | Self::Other(_) => None,
        }
    }

    /// The error of the cell `code`. `cells` are the cells so far; `cell_line` maps a line of the
    /// evaluated source to a line of the cell.
    pub(crate) fn into_error(
        self,
        code: &str,
        cells: &[String],
        cell_line: impl Fn(usize) -> Option<usize>,
    ) -> CellError {
        match self {
            Self::Compile {
                errors,
                bound,
                explanations,
            } => {
                let cell_line = |line| bound.original(line).and_then(&cell_line);
                let error = compiler::of_compiler(&errors, &explanations, code, cells, cell_line);
                if compiler::is_of_crate(&errors) {
                    shortened(error, LeftOut::AtTheEnd)
                } else {
                    error
                }
            }
            Self::Lost(names) => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                let message = format!("the session has lost {}", names.join(", "));
                CellError::new("SessionError", message).with_note(
                    "The other variables are kept. Bind the lost ones again, then run the cell again.",
                )
            }
            Self::Panic(panic, stopped) => {
                stopped.noted(panic_site::error(&panic, &stopped.source, cells))
            }
            Self::Failed(failed, stopped) => {
                stopped.noted(question_mark::error(&failed, &stopped.source, cells))
            }
            Self::Ended(ended, restored) => {
                let error = match ended {
                    Some(Ended::Interrupted) => CellError::interrupted(),
                    Some(Ended::Signal(number)) => {
                        let signal = memit_magics::failure::signal(number);
                        CellError::new("ProcessEnded", format!("the cell was ended by {signal}"))
                    }
                    Some(Ended::Exit(code)) => {
                        let message = format!("the cell ended its process with exit code {code}");
                        CellError::new("ProcessEnded", message)
                    }
                    Some(Ended::Trouble) => CellError::new("ProcessEnded", GIVEN_UP),
                    None => CellError::new("ProcessEnded", ENDED),
                };
                error.with_note(match ended {
                    _ if restored => KEPT,
                    None | Some(Ended::Trouble) => LOST,
                    Some(_) => LOST_WITH_THREADS,
                })
            }
            Self::Other(message) if is_cargos(&message) => {
                shortened(compiler::of_cargo(&message), LeftOut::InTheMiddle)
            }
            Self::Other(message) if message.starts_with(NO_CHILD) => {
                let (_, reason) = message.rsplit_once("': ").unwrap_or(("", &message));
                Self::NotStarted(reason.to_owned()).into_error(code, cells, cell_line)
            }
            Self::NotStarted(reason) => CellError::internal(
                "SessionError",
                format!("the Rust session could not be started: {reason}"),
                "Fix the cause, then run the cell again. Variables are lost, items and dependencies are kept.",
            ),
            Self::Other(message) => CellError::new("Error", message),
        }
    }
}

/// Whether cargo, and not evcxr, says why a cell cannot be built.
fn is_cargos(message: &str) -> bool {
    message.starts_with("Compilation failed, but no parsable errors")
        || message.starts_with("error: ")
}

/// How evcxr's message begins if its child cannot be started.
const NO_CHILD: &str = "Failed to run '";
const ENDED: &str = "the session process has ended";
const KEPT: &str = "The session goes on as it was before the cell: nothing is lost.";
const CHANGES_STAY: &str =
    "note: the cell was not protected (`%session` says why): what it has changed stays changed.";
const GIVEN_UP: &str = "memit gave the cell up";
const LOST: &str =
    "Variables are lost, items and dependencies are kept. The next cell starts a new session.";
const LOST_WITH_THREADS: &str = "The session process had more than one thread, so there was no checkpoint to go \
     back to: its variables are lost, items and dependencies are kept.";
