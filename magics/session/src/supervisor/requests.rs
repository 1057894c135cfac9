//! What the kernel asks for.

use std::io;

use memit_measure::control::Interruptible;
use memit_measure::fork;
use memit_measurement::{Event, Request};

use super::cell::Cell;
use super::{Supervisor, processes};

const INSIST: &str = "memit: this cell runs without a checkpoint. Interrupt again within 5 s to end \
    the session process; its variables will be lost.\n";

impl Supervisor {
    /// Serves one request; false when the kernel is gone.
    pub(super) fn take_request(&mut self) -> io::Result<bool> {
        let Some(request) = self.peers.kernel.receive() else {
            return Ok(false);
        };
        match request {
            Request::BeginCell(number) => {
                self.wires.control.set_interrupted(false);
                self.cell = Cell::new(number);
            }
            Request::Passing => self.cell.passing = true,
            Request::Prelude => self.cell.prelude = true,
            Request::CloseInput => self.wires.close_input(),
            Request::Interrupt => self.interrupt()?,
            Request::Sync(number) => {
                self.output.end(&mut self.peers, true)?;
                self.output.show_last(&mut self.peers, false)?;
                self.peers.kernel.send(&Event::Synced(number))?;
            }
            Request::Describe => {
                let described = self.processes.describe();
                self.peers.kernel.send(&Event::Described(described))?;
            }
            Request::Undo(cell) => {
                let done = self.undo(cell)?;
                self.peers.kernel.send(&Event::Undone(done))?;
            }
            Request::Clear => self.keep_session = false,
        }
        Ok(true)
    }

    /// Goes back to the beginning of `cell`; false if a cell runs or there is no checkpoint.
    fn undo(&mut self, cell: u64) -> io::Result<bool> {
        if self.run.is_some() {
            return Ok(false);
        }
        let Some(checkpoint) = self.processes.take_cell(cell) else {
            return Ok(false);
        };
        self.resume(checkpoint, &processes::descendants())?;
        self.keep_session = true;
        Ok(true)
    }

    fn interrupt(&mut self) -> io::Result<()> {
        self.wires.control.set_interrupted(true);
        let insists = self.cell.interrupt();
        let Some(run) = &self.run else { return Ok(()) };
        match self.wires.control.interruptible() {
            Interruptible::Fork(group) => fork::kill_group(group),
            // The measurement looks at the flag; a user who insists finds that this takes too long.
            Interruptible::InPlace if !insists => {}
            // Whatever the process has started ends when the session goes on without it.
            _ if run.checkpoint.is_some() || insists => self.processes.kill_session(),
            _ => {
                let text = INSIST.as_bytes().to_vec();
                self.peers.kernel.send(&Event::Stderr(text))?;
            }
        }
        Ok(())
    }
}
