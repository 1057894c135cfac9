//! The processes of the session: the session process, its checkpoints, and what these have started.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{WaitOptions, WaitStatus, waitpid};

use memit_measurement::{Checkpointed, Described};
use memit_process::process::{self, poll};

use super::checkpoints::{Checkpoint, Checkpoints};
use super::wires::Wires;
use crate::session_loop::Command;

/// Where the first session process listens.
pub(super) const FIRST_SLOT: usize = 0;

/// A killed process is gone by then, unless it hangs in the system.
const END_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Processes {
    session: Option<SessionProcess>,
    checkpoints: Checkpoints,
    /// Why the last run had no checkpoint.
    unprotected: Option<String>,
}

/// The process that runs cells.
struct SessionProcess {
    pid: u32,
    slot: usize,
    /// Readable when the process has ended.
    end: OwnedFd,
}

impl Processes {
    /// The session process is `pid`, which has just started.
    pub(super) fn start(&mut self, pid: i32) -> io::Result<()> {
        self.session = Some(SessionProcess {
            pid: pid.cast_unsigned(),
            slot: FIRST_SLOT,
            end: process::pidfd(pid)?,
        });
        self.checkpoints.begin(pid.cast_unsigned());
        Ok(())
    }

    /// Readable when the session process has ended. `None` without one.
    pub(super) fn session_end(&self) -> Option<BorrowedFd<'_>> {
        self.session.as_ref().map(|session| session.end.as_fd())
    }

    pub(super) fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// Whether there is a session process, which has ended.
    pub(super) fn session_has_ended(&self) -> bool {
        let ended = |end| poll::is_readable(end).unwrap_or(true);
        self.session_end().is_some_and(ended)
    }

    /// Where the session process listens. `None` without one.
    pub(super) fn session_slot(&self) -> Option<usize> {
        self.session.as_ref().map(|session| session.slot)
    }

    /// Where the checkpoint of the next run is to listen.
    pub(super) fn free_slot(&self) -> usize {
        let active = self.session_slot().unwrap_or(FIRST_SLOT);
        self.checkpoints.free_slot(active)
    }

    /// Ends the session process. What it has started lives on.
    pub(super) fn kill_session(&self) {
        if let Some(session) = &self.session {
            process::end_by_pidfd(&session.end);
        }
    }

    /// Takes the status of the session process, which has ended. `None` if there is no status.
    pub(super) fn session_status(&self) -> Option<WaitStatus> {
        let pid = process::number(self.session.as_ref()?.pid)?;
        let status = rustix::io::retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
        let (_, status) = status.ok()??;
        Some(status)
    }

    /// Keeps the checkpoint of a run of `cell`; false if it has ended meanwhile.
    pub(super) fn add_checkpoint(&mut self, reported: Checkpointed, cell: u64) -> bool {
        match Checkpoint::new(reported, cell) {
            Ok(checkpoint) => {
                self.checkpoints.push(checkpoint);
                self.unprotected = None;
                true
            }
            Err(error) => {
                self.unprotected = Some(format!("its checkpoint has ended: {error}"));
                false
            }
        }
    }

    /// The run has no checkpoint, for this reason.
    pub(super) fn set_unprotected(&mut self, reason: String) {
        self.unprotected = Some(reason);
    }

    /// A run has ended well: drops checkpoints that nobody needs. `unchanged` says that the run, if
    /// it has a checkpoint, has changed nothing since.
    pub(super) fn settle(&mut self, has_checkpoint: bool, unchanged: bool) {
        if has_checkpoint {
            self.checkpoints.settle_newest(unchanged);
        }
        if let Some(session) = &self.session {
            self.checkpoints.bound(session.pid);
        }
    }

    /// Takes the checkpoint of the last run, which is the process `pid`, if it lives.
    pub(super) fn take_newest(&mut self, pid: u32) -> Option<Checkpoint> {
        let newest = self.checkpoints.take_newest(pid);
        newest.filter(Checkpoint::is_alive)
    }

    /// Takes the checkpoint from before `cell`, if it lives; later ones end.
    pub(super) fn take_cell(&mut self, cell: u64) -> Option<Checkpoint> {
        self.checkpoints.take_cell(cell)
    }

    /// Makes the checkpoint the session process. The one that was it ends, with every process that
    /// is not among `spared`.
    pub(super) fn resume(
        &mut self,
        checkpoint: Checkpoint,
        spared: &HashSet<u32>,
        wires: &mut Wires,
    ) -> io::Result<()> {
        let (pid, slot) = (checkpoint.pid, checkpoint.slot);
        let kept: HashSet<u32> = self.checkpoints.pids().into_iter().chain([pid]).collect();
        // Before the session process, whose end makes its children ours and so hard to tell from
        // its siblings.
        for process in descendants() {
            if !spared.contains(&process) && !kept.contains(&process) {
                process::end(process);
            }
        }
        if let Some(session) = self.session.take() {
            process::end_by_pidfd(&session.end);
            // A process that becomes the session before its parent is gone would end with its parent.
            wait_for_end(session.end.as_fd())?;
        }
        // What the ended process wrote and reported belongs to the failed cell, or is torn.
        wires.clear()?;
        wires.command(slot, &Command::Resume)?;
        self.session = Some(SessionProcess {
            pid,
            slot,
            end: checkpoint.into_handle(),
        });
        Ok(())
    }

    pub(super) fn describe(&self) -> Described {
        let pid = self.session.as_ref().map(|session| session.pid);
        Described {
            pid,
            resident: pid.and_then(process::resident).unwrap_or(0),
            threads: pid.and_then(process::threads).unwrap_or(0),
            checkpoints: self.checkpoints.cells(),
            checkpoint_memory: pid.map_or(0, |pid| self.checkpoints.memory(pid)),
            unprotected: self.unprotected.clone(),
        }
    }

    /// Ends every process of the session.
    pub(super) fn end_all(&mut self) {
        self.checkpoints.clear();
        self.unprotected = None;
        // Its status does not matter any more, so it is reaped like the others.
        self.session = None;
        let deadline = Instant::now() + END_PATIENCE;
        loop {
            let left = descendants();
            if left.is_empty() || Instant::now() > deadline {
                return;
            }
            for pid in left {
                process::end(pid);
            }
            self.reap();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Reaps processes that have ended, except the session process, whose status means something.
    pub(super) fn reap(&self) {
        let session = self.session.as_ref().map(|session| session.pid);
        for pid in process::children(std::process::id()) {
            if Some(pid) != session {
                let _ = waitpid(process::number(pid), WaitOptions::NOHANG);
            }
        }
    }
}

/// Waits for the end of a process that has been told to end, as long as patience lasts.
fn wait_for_end(end: BorrowedFd<'_>) -> io::Result<()> {
    let deadline = Instant::now() + END_PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // The end of another child interrupts the wait by its signal.
        if poll::readable([end], Some(left))? == [true] || left.is_zero() {
            return Ok(());
        }
    }
}

/// All processes of the session, and what they have started.
pub(super) fn descendants() -> HashSet<u32> {
    process::descendants(std::process::id())
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;

    #[test]
    fn signals_do_not_shorten_the_wait_for_an_end() {
        extern "C" fn ignore(_: libc::c_int) {}
        // SAFETY: all zeros is a valid `sigaction`, a plain C struct.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = ignore as *const () as libc::sighandler_t;
        // SAFETY: the handler does nothing.
        unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
        let mut child = Command::new("sleep").arg("0.3").spawn().unwrap();
        let end = process::pidfd(child.id().cast_signed()).unwrap();
        // SAFETY: the function only returns a number.
        let waiting = unsafe { libc::pthread_self() };
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    // SAFETY: the thread waits for this one, so it has not ended.
                    unsafe { libc::pthread_kill(waiting, libc::SIGUSR1) };
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            wait_for_end(end.as_fd()).unwrap();
            is_over.store(true, Relaxed);
        });
        assert!(poll::is_readable(&end).unwrap(), "the process has ended");
        child.wait().unwrap();
    }
}
