//! What connects the supervisor with the processes of the session.
//!
//! The supervisor keeps both ends of each pipe, so that every process that it forks gets the ends
//! of the session's side, and no pipe breaks when a process ends.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};

use memit_measure::control::{Control, Interruptible};
use memit_measure::protocol::Inbox;
use memit_measurement::Event;
use memit_process::process::poll;

use super::checkpoints::SLOTS;
use crate::session_loop::Command;

/// A pipe with both its ends.
pub(super) struct Pipe {
    pub(super) reader: PipeReader,
    pub(super) writer: PipeWriter,
}

impl Pipe {
    pub(super) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self { reader, writer })
    }

    /// A pipe that [`Pipe::read`] can read whether or not it holds something.
    pub(super) fn nonblocking() -> io::Result<Self> {
        let pipe = Self::new()?;
        rustix::io::ioctl_fionbio(&pipe.reader, true)?;
        Ok(pipe)
    }

    /// Reads what the pipe holds, up to what a full one holds.
    pub(super) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 1 << 16];
        let length = match self.reader.read(&mut bytes) {
            // Read for another reason since it was found readable.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            read => read?,
        };
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Throws away what the pipe holds.
    fn empty(&mut self) -> io::Result<()> {
        empty(&mut self.reader)
    }
}

fn empty(pipe: &mut PipeReader) -> io::Result<()> {
    let mut bytes = [0; 4096];
    while poll::is_readable(&*pipe)? {
        if pipe.read(&mut bytes)? == 0 {
            break;
        }
    }
    Ok(())
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// Everything but output, see [`super::output`].
pub(super) struct Wires {
    pub(super) control: Control,
    /// Where the processes of the session listen for commands.
    pub(super) slots: Vec<Pipe>,
    /// Standard input of the session.
    pub(super) input: PipeReader,
    /// Where answers for the running cell go. `None` if standard input is at its end.
    answers: Option<PipeWriter>,
    pub(super) reports: Pipe,
    /// Reports that have been read.
    inbox: Inbox,
}

impl Wires {
    pub(super) fn new() -> io::Result<Self> {
        let (input, answers) = io::pipe()?;
        Ok(Self {
            control: Control::new()?,
            slots: (0..SLOTS).map(|_| Pipe::new()).collect::<io::Result<_>>()?,
            input,
            answers: Some(answers),
            reports: Pipe::nonblocking()?,
            inbox: Inbox::default(),
        })
    }

    /// Sends a command to the process that listens at `slot`.
    pub(super) fn command(&mut self, slot: usize, command: &Command) -> io::Result<()> {
        let line = command.line();
        self.slots[slot].writer.write_all(line.as_bytes())
    }

    /// Sends a line to the running cell, which has asked for one.
    pub(super) fn answer(&mut self, line: &str) -> io::Result<()> {
        match &mut self.answers {
            Some(answers) => answers.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }

    /// Ends standard input of the session.
    pub(super) fn close_input(&mut self) {
        self.answers = None;
    }

    /// Reads reports; false if there was none, not even a part of one.
    pub(super) fn read_reports(&mut self) -> io::Result<bool> {
        let bytes = self.reports.read()?;
        self.inbox.add(&bytes);
        Ok(!bytes.is_empty())
    }

    /// The next of the reports that have been read.
    pub(super) fn next_report(&mut self) -> io::Result<Option<Event>> {
        self.inbox.take()
    }

    /// Forgets what a process that has ended reported and did not live to read.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.control.set_interruptible(Interruptible::Cell);
        self.inbox.clear();
        self.reports.empty()?;
        empty(&mut self.input)?;
        self.slots.iter_mut().try_for_each(Pipe::empty)
    }
}
