//! How the session goes on after a failed cell, or ends.

use std::collections::HashSet;
use std::io;
use std::mem;
use std::time::Duration;

use rustix::process::WaitStatus;

use memit_measurement::{Ended, Event, Process};

use super::Supervisor;
use super::checkpoints::Checkpoint;

/// How long an error holds up the supervisor.
const BREATH: Duration = Duration::from_millis(10);

impl Supervisor {
    /// Goes on from the checkpoint of the failed run and tells evcxr; false if it has none.
    /// `before` are our descendants before the run.
    pub(super) fn recover(
        &mut self,
        checkpoint: Option<u32>,
        before: &HashSet<u32>,
    ) -> io::Result<bool> {
        let checkpoint = checkpoint.and_then(|pid| self.processes.take_newest(pid));
        let Some(checkpoint) = checkpoint else {
            return Ok(false);
        };
        self.resume(checkpoint, before)?;
        self.peers.evcxr.tell_failed();
        Ok(true)
    }

    /// Makes the checkpoint the session and tells the kernel.
    pub(super) fn resume(
        &mut self,
        checkpoint: Checkpoint,
        spared: &HashSet<u32>,
    ) -> io::Result<()> {
        let pid = checkpoint.pid;
        self.processes.resume(checkpoint, spared, &mut self.wires)?;
        self.peers.kernel.send(&Event::Restored(Process { pid }))
    }

    /// The session process has ended by itself, or an interrupt has ended it.
    pub(super) fn session_ended(&mut self) -> io::Result<()> {
        // Meanwhile a checkpoint may have become the session process.
        if !self.processes.session_has_ended() {
            return Ok(());
        }
        let status = self.processes.session_status();
        while self.take_reports()? {}
        // If the last report was that the cell has completed, the cell has not failed.
        let run = self.run.take();
        let interrupted = run.is_some() && self.wires.control.interrupted();
        self.output.end(&mut self.peers, !interrupted)?;
        self.output.show_last(&mut self.peers, false)?;
        let ended = if interrupted {
            Ended::Interrupted
        } else {
            ended(status)
        };
        if !interrupted && let Some(panic) = run.as_ref().and_then(|run| run.panic.as_ref()) {
            // The panic may have led to the end, as one in a destructor does. It is text either way.
            self.show_panic(panic)?;
        }
        self.peers.kernel.send(&Event::Ended(ended))?;
        if let Some(run) = run
            && self.recover(run.checkpoint, &run.before)?
        {
            return Ok(());
        }
        // There is nothing to go on from: evcxr finds its child gone and starts another.
        self.end_session()?;
        self.peers.evcxr.disconnect();
        Ok(())
    }

    /// Goes on after an error of our own: tells the user, and gives up the cell that runs.
    pub(super) fn survive(&mut self, error: &io::Error) {
        // The same error may come again at once, and for ever.
        std::thread::sleep(BREATH);
        if !mem::replace(&mut self.cell.has_trouble, true) {
            let note = format!("memit: the processes of the session have a problem: {error}\n");
            let _ = self.peers.kernel.send(&Event::Stderr(note.into_bytes()));
        }
        let Some(run) = self.run.take() else { return };
        let _ = self.peers.kernel.send(&Event::Ended(Ended::Trouble));
        if !self.recover(run.checkpoint, &run.before).unwrap_or(false) {
            let _ = self.end_session();
            self.peers.evcxr.disconnect();
        }
    }

    /// Ends the session and forgets everything about it.
    pub(super) fn end_session(&mut self) -> io::Result<()> {
        self.processes.end_all();
        self.run = None;
        self.peers.evcxr.forget_questions();
        self.output.clear();
        self.wires.clear()
    }
}

fn ended(status: Option<WaitStatus>) -> Ended {
    match status.and_then(WaitStatus::terminating_signal) {
        Some(signal) => Ended::Signal(signal),
        None => Ended::Exit(status.and_then(WaitStatus::exit_status).unwrap_or(0)),
    }
}
