//! The connection to evcxr, by way of its [relay](crate::relay).
//!
//! evcxr sends a line for each cell that it has compiled, and waits for a line that says how the
//! cell ended. In between, a cell may ask evcxr, and through it the user, for a line of input.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::PathBuf;

use memit_measurement::message::COLON;

/// How a line begins that asks evcxr for a line of input. The crate `evcxr_input` prints such lines.
pub(super) const QUESTION: &[u8] = b"EVCXR_INPUT_REQUEST";

/// Makes evcxr forget the variables that the cell has bound. The kernel keeps its own record of
/// variables, and tells evcxr those that a cell mentions.
const FORGET_LINE: &[u8] = b"EVCXR_ERROR_OCCURRED\n";

const COMPLETE_LINE: &[u8] = b"EVCXR_EXECUTION_COMPLETE\n";

/// Makes evcxr give a cell up and keep nothing of it: evcxr reads lines of UTF-8, and goes back to
/// its state before the cell if it cannot read one.
const FAILED_LINE: &[u8] = b"\xff\n";

/// How a line begins that names the library of a cell and its function.
const RUN: &str = "LOAD_AND_RUN ";

pub(super) struct Evcxr {
    listener: UnixListener,
    relay: Option<BufReader<UnixStream>>,
    /// Questions without an answer yet. evcxr answers each with one line, in order, even if the
    /// cell that asked has ended.
    questions: usize,
    /// Whether evcxr waits for the end of a cell.
    waits: bool,
}

/// A line from evcxr.
pub(super) enum Line {
    /// The answer to a question.
    Answer(String),
    /// The arguments of a cell that is to run.
    Run(String),
    Unknown,
}

impl Evcxr {
    /// `listener` is where relays connect.
    pub(super) fn new(listener: UnixListener) -> Self {
        Self {
            listener,
            relay: None,
            questions: 0,
            waits: false,
        }
    }

    /// Takes the connection of a relay: evcxr has started its child, for the first time or anew.
    pub(super) fn accept(&mut self) -> io::Result<()> {
        let (relay, _) = self.listener.accept()?;
        self.relay = Some(BufReader::new(relay));
        self.waits = false;
        Ok(())
    }

    /// Closes the connection: evcxr finds that its child is gone.
    pub(super) fn disconnect(&mut self) {
        self.relay = None;
    }

    /// Readable when a relay wants to connect.
    pub(super) fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Readable when evcxr has sent something. `None` without a relay.
    pub(super) fn relay(&self) -> Option<BorrowedFd<'_>> {
        self.relay.as_ref().map(|relay| relay.get_ref().as_fd())
    }

    /// Where relays connect, if that has a path.
    pub(super) fn socket(&self) -> Option<PathBuf> {
        let address = self.listener.local_addr().ok();
        let path = address.as_ref().and_then(SocketAddr::as_pathname);
        path.map(Into::into)
    }

    /// The next line. `None`, also from then on, when evcxr has closed its end.
    pub(super) fn read(&mut self) -> Option<Line> {
        let mut line = String::new();
        if !matches!(self.relay.as_mut()?.read_line(&mut line), Ok(1..)) {
            self.relay = None;
            return None;
        }
        if let Some(left) = self.questions.checked_sub(1) {
            self.questions = left;
            return Some(Line::Answer(line));
        }
        let Some(arguments) = line.strip_prefix(RUN) else {
            return Some(Line::Unknown);
        };
        self.waits = true;
        Some(Line::Run(arguments.trim_end().to_owned()))
    }

    /// Whether another line has arrived with the last one.
    pub(super) fn has_more(&self) -> bool {
        let relay = self.relay.as_ref();
        relay.is_some_and(|relay| !relay.buffer().is_empty())
    }

    /// Passes on the question of a cell, a line that begins with [`QUESTION`]; false if no cell runs.
    pub(super) fn ask(&mut self, question: &[u8]) -> bool {
        if self.waits {
            self.questions += 1;
            self.tell(&with_one_colon(question));
        }
        self.waits
    }

    /// No answer is for a cell of the session that begins now.
    pub(super) fn forget_questions(&mut self) {
        self.questions = 0;
    }

    /// The cell has ended well, or early, and what it did before that stays.
    pub(super) fn tell_complete(&mut self) {
        self.waits = false;
        self.tell(FORGET_LINE);
        self.tell(COMPLETE_LINE);
    }

    /// The cell has failed, and the session is what it was before the cell.
    pub(super) fn tell_failed(&mut self) {
        self.waits = false;
        self.tell(FAILED_LINE);
    }

    fn tell(&mut self, lines: &[u8]) {
        if let Some(relay) = &mut self.relay
            && relay.get_mut().write_all(lines).is_err()
        {
            self.relay = None;
        }
    }
}

/// A question whose prompt evcxr does not cut off at a colon.
fn with_one_colon(line: &[u8]) -> Vec<u8> {
    let mut colons = 0;
    line.iter()
        .map(|&byte| {
            colons += usize::from(byte == b':');
            if byte == b':' && colons > 1 {
                COLON
            } else {
                byte
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_of_a_prompt_are_put_out_of_evcxrs_way() {
        assert_eq!(
            with_one_colon(b"EVCXR_INPUT_REQUEST:h:mm: \n"),
            b"EVCXR_INPUT_REQUEST:h\x1fmm\x1f \n"
        );
    }
}
