//! What the session process reports while a cell runs.

use std::io;

use memit_measure::panic;
use memit_measurement::{Event, Panic};

use super::Supervisor;

impl Supervisor {
    /// Handles what the session process has reported; false if there was nothing.
    pub(super) fn take_reports(&mut self) -> io::Result<bool> {
        let some = self.wires.read_reports()?;
        while let Some(event) = self.wires.next_report()? {
            self.take_report(event)?;
        }
        Ok(some)
    }

    fn take_report(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Panicked(panic) => {
                let before = self.run.as_mut().and_then(|run| run.panic.replace(panic));
                return self.show_caught(before);
            }
            Event::Uncaught => {
                if let Some(run) = &mut self.run {
                    run.panicked = true;
                }
            }
            Event::Failed(failed) => {
                if let Some(run) = &mut self.run {
                    run.failed = Some(failed);
                }
            }
            Event::Checkpointed(reported) => {
                let is_kept = self.processes.add_checkpoint(reported, self.cell.number);
                if let Some(run) = self.run.as_mut().filter(|_| is_kept) {
                    run.checkpoint = Some(reported.pid);
                }
            }
            Event::Unprotected(reason) => self.processes.set_unprotected(reason),
            measured @ (Event::Ran(_) | Event::Counted(_) | Event::Kept(_)) => {
                if let Some(run) = &mut self.run {
                    run.afterwards.push(measured);
                }
            }
            Event::Completed => return self.complete(),
            other => {
                self.output.finish(&mut self.peers)?;
                return self.peers.kernel.send(&other);
            }
        }
        Ok(())
    }

    /// A panic that something caught is no error, only text.
    fn show_caught(&mut self, panic: Option<Panic>) -> io::Result<()> {
        let Some(caught) = panic else { return Ok(()) };
        self.output.drain(&mut self.peers)?;
        self.show_panic(&caught)
    }

    pub(super) fn show_panic(&mut self, panic: &Panic) -> io::Result<()> {
        let text = panic::text(panic).into_bytes();
        self.peers.kernel.send(&Event::Stderr(text))
    }

    /// The cell has run. All of its output goes out before evcxr hears of the end.
    fn complete(&mut self) -> io::Result<()> {
        let Some(run) = self.run.take() else {
            return Ok(());
        };
        self.output.end(&mut self.peers, !run.panicked)?;
        let is_well = !run.panicked && run.failed.is_none();
        self.output.show_last(&mut self.peers, is_well)?;
        for event in &run.afterwards {
            self.peers.kernel.send(event)?;
        }
        if run.panicked {
            // Without details if the cell has set a panic hook of its own.
            let panic = run.panic.unwrap_or_default();
            self.peers.kernel.send(&Event::Panicked(panic))?;
            if !self.recover(run.checkpoint, &run.before)? {
                self.peers.evcxr.tell_complete();
            }
            return Ok(());
        }
        self.show_caught(run.panic)?;
        if let Some(failed) = run.failed {
            self.peers.kernel.send(&Event::Failed(failed))?;
            if !self.recover(run.checkpoint, &run.before)? {
                self.peers.evcxr.tell_complete();
            }
            return Ok(());
        }
        self.peers.evcxr.tell_complete();
        self.processes.settle(run.checkpoint.is_some(), run.passing);
        Ok(())
    }
}
