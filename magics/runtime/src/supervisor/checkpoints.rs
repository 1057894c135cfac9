//! The checkpoints of a session, as the supervisor keeps them: processes that wait at the
//! beginning of a cell.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use crate::link::Checkpointed;
use crate::process;
use crate::session::Command;

/// Checkpoints that are kept for going back. One more is there while a cell runs.
const KEPT: usize = 5;

/// Processes of a session that listen for commands: the checkpoints and the one that runs.
const SLOTS: usize = KEPT + 2;

/// What checkpoints alone hold may come to this part of the memory that could be had.
const MEMORY_PART: u64 = 4;

/// A place where a process of the session listens for commands. The supervisor has both ends, so
/// that every process it forks can be given any of them.
pub(crate) struct Slot {
    pub(crate) reader: PipeReader,
    pub(crate) writer: PipeWriter,
}

impl Slot {
    /// All the slots of a session.
    pub(crate) fn all() -> io::Result<Vec<Self>> {
        let slot = |_| {
            let (reader, writer) = io::pipe()?;
            Ok(Self { reader, writer })
        };
        (0..SLOTS).map(slot).collect()
    }

    /// Sends a command to the process that listens here.
    pub(crate) fn send(&mut self, command: &Command) -> io::Result<()> {
        self.writer.write_all(command.line().as_bytes())
    }

    /// Forgets commands that a process did not live to read.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        empty(&mut self.reader)
    }
}

/// Throws away what a pipe holds.
pub(crate) fn empty(pipe: &mut PipeReader) -> io::Result<()> {
    let mut bytes = [0; 4096];
    while process::is_readable(pipe.as_raw_fd())? {
        if pipe.read(&mut bytes)? == 0 {
            break;
        }
    }
    Ok(())
}

/// A process that waits at the beginning of a cell.
pub(crate) struct Checkpoint {
    pub(crate) pid: u32,
    pub(crate) slot: usize,
    /// The cell.
    pub(crate) cell: u64,
    handle: OwnedFd,
}

impl Checkpoint {
    /// The checkpoint that a process of the session has just reported.
    pub(crate) fn new(reported: Checkpointed, cell: u64) -> io::Result<Self> {
        let Checkpointed { slot, pid } = reported;
        let handle = process::pidfd(pid.cast_signed())?;
        Ok(Self {
            pid,
            slot,
            cell,
            handle,
        })
    }

    /// Whether the process is still there.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(process::is_readable(self.handle.as_raw_fd()), Ok(false))
    }

    /// A descriptor that becomes readable when the process ends.
    pub(crate) fn into_handle(self) -> OwnedFd {
        self.handle
    }

    fn discard(&self) {
        process::end_by_pidfd(&self.handle);
    }
}

/// The checkpoints of a session, oldest first.
#[derive(Default)]
pub(crate) struct Checkpoints {
    kept: Vec<Checkpoint>,
}

impl Checkpoints {
    /// Keeps one more.
    pub(crate) fn push(&mut self, checkpoint: Checkpoint) {
        self.kept.push(checkpoint);
    }

    /// The newest, if it is of the process `pid`.
    pub(crate) fn take_newest(&mut self, pid: u32) -> Option<Checkpoint> {
        let is_newest = self.kept.last().is_some_and(|newest| newest.pid == pid);
        is_newest.then(|| self.kept.pop()).flatten()
    }

    /// The oldest of `cell`; it and what is younger is no longer kept.
    pub(crate) fn take_cell(&mut self, cell: u64) -> Option<Checkpoint> {
        let index = self.kept.iter().position(|kept| kept.cell == cell)?;
        let mut younger = self.kept.split_off(index).into_iter();
        let checkpoint = younger.next().filter(Checkpoint::is_alive);
        younger.for_each(|kept| kept.discard());
        checkpoint
    }

    /// Ends the newest if it is of no more use: nothing has changed since, or an older one is of
    /// the same cell.
    pub(crate) fn settle_newest(&mut self, unchanged: bool) {
        let Some(newest) = self.kept.pop() else {
            return;
        };
        let older = self.kept.last();
        if unchanged || older.is_some_and(|older| older.cell == newest.cell) {
            newest.discard();
        } else {
            self.kept.push(newest);
        }
    }

    /// Ends the oldest until there are no more than are to be kept, and what they hold is no more
    /// than its part of the memory. `session` is the process that runs.
    pub(crate) fn bound(&mut self, session: u32) {
        self.kept.retain(Checkpoint::is_alive);
        while self.kept.len() > KEPT {
            self.kept.remove(0).discard();
        }
        while self.is_large(session)
            && self.memory(session) > process::available_memory() / MEMORY_PART
        {
            self.kept.remove(0).discard();
        }
    }

    /// Whether there is a checkpoint, and one of all these processes is large enough to be looked at.
    fn is_large(&self, session: u32) -> bool {
        let all = self.kept.iter().map(|kept| kept.pid).chain([session]);
        let is_large = |pid| process::resident(pid).is_some_and(|resident| resident > SMALL);
        !self.kept.is_empty() && all.into_iter().any(is_large)
    }

    /// Resident memory in bytes that is there for checkpoints only.
    ///
    /// Proportional set sizes share each page among the processes that have it, so their sum counts
    /// every page once; what the session process has is not the checkpoints'.
    pub(crate) fn memory(&self, session: u32) -> u64 {
        let all = self.kept.iter().map(|kept| kept.pid).chain([session]);
        let shared = all.filter_map(process::proportional).sum::<u64>();
        shared.saturating_sub(process::resident(session).unwrap_or(0))
    }

    /// A slot that neither a checkpoint nor the process at `active` listens at.
    pub(crate) fn free_slot(&self, active: usize) -> usize {
        let is_free =
            |slot: &usize| *slot != active && self.kept.iter().all(|kept| kept.slot != *slot);
        // At most KEPT of the KEPT + 2 slots are checkpoints'.
        (0..SLOTS).find(is_free).unwrap_or(0)
    }

    /// Their cells.
    pub(crate) fn cells(&self) -> Vec<u64> {
        self.kept.iter().map(|kept| kept.cell).collect()
    }

    /// Their processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.kept.iter().map(|kept| kept.pid).collect()
    }

    /// Ends them all.
    pub(crate) fn clear(&mut self) {
        self.kept.drain(..).for_each(|kept| kept.discard());
    }
}

/// Processes that have no more resident than this cannot use up the memory.
const SMALL: u64 = 64 << 20;
