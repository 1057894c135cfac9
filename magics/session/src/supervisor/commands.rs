//! What evcxr asks for: a session, and cells to run in it.

use std::io;
use std::mem;

use memit_measurement::Event;

use super::cell::Run;
use super::evcxr::Line;
use super::{Supervisor, processes};
use crate::session_loop::Command;

impl Supervisor {
    /// Takes the connection of a relay; true if it asks for a new session.
    pub(super) fn accept_relay(&mut self) -> io::Result<bool> {
        self.peers.evcxr.accept()?;
        Ok(!(self.keep_session && self.processes.has_session()))
    }

    /// Passes on the lines that evcxr has sent: cells to run, or input that a running cell has asked
    /// for.
    pub(super) fn take_commands(&mut self) -> io::Result<()> {
        while let Some(line) = self.peers.evcxr.read() {
            match line {
                Line::Answer(line) => {
                    if self.run.is_some() {
                        self.wires.answer(&line)?;
                    }
                }
                // Interrupted while evcxr compiled it.
                _ if self.wires.control.interrupted() => self.peers.evcxr.tell_failed(),
                Line::Run(arguments) => self.start_run(arguments)?,
                Line::Unknown => {}
            }
            if !self.peers.evcxr.has_more() {
                break;
            }
        }
        Ok(())
    }

    fn start_run(&mut self, arguments: String) -> io::Result<()> {
        let Some(slot) = self.processes.session_slot() else {
            self.peers.evcxr.disconnect();
            return match self.not_started.clone() {
                Some(reason) => self.peers.kernel.send(&Event::NotStarted(reason)),
                None => Ok(()),
            };
        };
        if mem::take(&mut self.cell.prelude) {
            self.prelude = Some(arguments.clone());
            self.cell.passing = true;
        }
        self.keep_session = false;
        self.run = Some(Run {
            passing: mem::take(&mut self.cell.passing),
            checkpoint: None,
            before: processes::descendants(),
            panic: None,
            panicked: false,
            failed: None,
            afterwards: Vec::new(),
        });
        let command = Command::Run {
            slot: self.processes.free_slot(),
            arguments,
        };
        self.wires.command(slot, &command)
    }
}
