//! Asks the user for input at the terminal.

use std::io::{IsTerminal as _, Write as _, stdin};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::session::{Input, NoAnswer, Question};

/// How often a wait for the user checks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// Asks on standard input, if that is a terminal.
#[derive(Default)]
pub(super) struct Terminal {
    /// The read that is under way. Nothing can stop a read, so after a question is given up, its
    /// read continues, and the next question gets the line.
    pending: Mutex<Option<Receiver<std::io::Result<String>>>>,
}

impl Input for Terminal {
    fn ask(&self, question: &Question, given_up: &dyn Fn() -> bool) -> Result<String, NoAnswer> {
        if !stdin().is_terminal() {
            let why = "standard input is not a terminal";
            return Err(NoAnswer::Impossible(why.to_owned()));
        }
        // Before the prompt appears, because users type their password only after it.
        let _hidden = question.password.then(Hidden::new);
        let _ = write!(anstream::stderr(), "{}", question.prompt);
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let line = pending.get_or_insert_with(read_line);
        loop {
            if given_up() {
                return Err(NoAnswer::GivenUp);
            }
            let read = match line.recv_timeout(LOOK) {
                Ok(read) => read,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => Ok(String::new()),
            };
            *pending = None;
            return read.map_err(|error| {
                NoAnswer::Impossible(format!("standard input cannot be read: {error}"))
            });
        }
    }
}

/// Reads a line on a separate thread.
fn read_line() -> Receiver<std::io::Result<String>> {
    let (read, line) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        // Nobody listens if the program is about to end.
        let _ = read.send(stdin().read_line(&mut text).map(|_| text));
    });
    line
}

/// Hides what is typed, until it is dropped.
struct Hidden {
    /// The terminal as it was.
    shown: Option<Termios>,
}

impl Hidden {
    fn new() -> Self {
        let shown = tcgetattr(stdin());
        let hidden = shown.clone().and_then(|mut terminal| {
            terminal.local_modes.remove(LocalModes::ECHO);
            tcsetattr(stdin(), OptionalActions::Drain, &terminal)
        });
        if let Err(error) = hidden {
            tracing::warn!("the terminal shows what is typed: {error}");
        }
        Self { shown: shown.ok() }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(shown) = &self.shown
            && let Err(error) = tcsetattr(stdin(), OptionalActions::Drain, shown)
        {
            tracing::warn!("the terminal goes on hiding what is typed: {error}");
        }
        // The terminal did not show the line end that was typed either.
        let _ = writeln!(anstream::stderr());
    }
}
