//! The checkpoints of a session: processes that wait at the beginning of a cell.

use std::io;
use std::os::fd::OwnedFd;

use memit_measurement::Checkpointed;
use memit_process::process::{self, poll};

use super::given_up::GivenUp;

/// How many checkpoints are kept for going back. While a cell runs, there is one more.
const KEPT: usize = 5;

/// How many processes of a session listen for commands: the checkpoints and the session process.
pub(super) const SLOTS: usize = KEPT + 2;

/// Checkpoints may keep at most 1/`MEMORY_PART` of the available memory for themselves.
const MEMORY_PART: u64 = 4;

/// A process that waits at the beginning of a cell.
pub(super) struct Checkpoint {
    pub(super) pid: u32,
    pub(super) slot: usize,
    /// The cell at whose beginning the process waits.
    pub(super) cell: u64,
    handle: OwnedFd,
}

impl Checkpoint {
    /// The checkpoint that a process of the session has just reported.
    pub(super) fn new(reported: Checkpointed, cell: u64) -> io::Result<Self> {
        let Checkpointed { slot, pid } = reported;
        let handle = process::pidfd(pid.cast_signed())?;
        Ok(Self {
            pid,
            slot,
            cell,
            handle,
        })
    }

    /// Whether the process has not ended.
    pub(super) fn is_alive(&self) -> bool {
        matches!(poll::is_readable(&self.handle), Ok(false))
    }

    /// A descriptor that becomes readable when the process ends.
    pub(super) fn into_handle(self) -> OwnedFd {
        self.handle
    }

    fn discard(&self) {
        process::end_by_pidfd(&self.handle);
    }
}

/// The checkpoints of a session, oldest first.
#[derive(Default)]
pub(super) struct Checkpoints {
    kept: Vec<Checkpoint>,
    given_up: GivenUp,
}

impl Checkpoints {
    /// Keeps another checkpoint, the newest.
    pub(super) fn push(&mut self, checkpoint: Checkpoint) {
        self.kept.push(checkpoint);
    }

    /// Takes the newest checkpoint, if it is the process `pid`.
    pub(super) fn take_newest(&mut self, pid: u32) -> Option<Checkpoint> {
        let is_newest = self.kept.last().is_some_and(|newest| newest.pid == pid);
        is_newest.then(|| self.kept.pop()).flatten()
    }

    /// Takes the oldest checkpoint of `cell`, if it lives. Newer ones end.
    pub(super) fn take_cell(&mut self, cell: u64) -> Option<Checkpoint> {
        let index = self.kept.iter().position(|kept| kept.cell == cell)?;
        let mut younger = self.kept.split_off(index).into_iter();
        let checkpoint = younger.next().filter(Checkpoint::is_alive);
        younger.for_each(|kept| kept.discard());
        checkpoint
    }

    /// Ends the newest checkpoint if nobody can need it: nothing has changed since, or an older
    /// checkpoint is of the same cell.
    pub(super) fn settle_newest(&mut self, unchanged: bool) {
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

    /// A session begins, whose process is `session`.
    pub(super) fn begin(&mut self, session: u32) {
        self.given_up.since(session, 0);
    }

    /// Ends the oldest checkpoints until both their number and their memory are within bounds.
    /// `session` is the session process.
    pub(super) fn bound(&mut self, session: u32) {
        self.kept.retain(Checkpoint::is_alive);
        while self.kept.len() > KEPT {
            self.kept.remove(0).discard();
        }
        while !self.kept.is_empty() {
            let limit = process::available_memory() / MEMORY_PART;
            // To find out how much it is exactly takes a look at every page.
            if self
                .given_up
                .at_most(session)
                .is_some_and(|most| most <= limit)
            {
                return;
            }
            let memory = self.memory(session);
            self.given_up.since(session, memory);
            if memory <= limit {
                return;
            }
            self.kept.remove(0).discard();
        }
    }

    /// Resident memory in bytes that only checkpoints hold.
    ///
    /// A sum of proportional set sizes counts every page once. Pages that the session process has
    /// are not held by checkpoints alone.
    pub(super) fn memory(&self, session: u32) -> u64 {
        let all = self.kept.iter().map(|kept| kept.pid).chain([session]);
        let shared = all.filter_map(process::proportional).sum::<u64>();
        shared.saturating_sub(process::resident(session).unwrap_or(0))
    }

    /// A slot where no checkpoint listens, nor the process at `active`.
    pub(super) fn free_slot(&self, active: usize) -> usize {
        let is_free =
            |slot: &usize| *slot != active && self.kept.iter().all(|kept| kept.slot != *slot);
        // At most KEPT of the KEPT + 2 slots belong to checkpoints.
        (0..SLOTS).find(is_free).unwrap_or(0)
    }

    /// The cells of the checkpoints, oldest first.
    pub(super) fn cells(&self) -> Vec<u64> {
        self.kept.iter().map(|kept| kept.cell).collect()
    }

    /// The processes of the checkpoints, oldest first.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.kept.iter().map(|kept| kept.pid).collect()
    }

    /// Ends all checkpoints.
    pub(super) fn clear(&mut self) {
        self.kept.drain(..).for_each(|kept| kept.discard());
    }
}
