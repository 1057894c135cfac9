//! What the kernel knows of the session's processes, shared by the threads of the connection.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memit_magics::magic::Draw;
use memit_runtime::link::{Described, Displayed, Ended, Event, Request};
use memit_runtime::measurement::{LinesMeasurement, Measured, Panic, TimelineMeasurement};

use crate::session::io::Output;

/// What the session's processes told about the cell that runs, apart from its output.
#[derive(Debug, Default)]
pub(crate) struct CellOutcome {
    /// It panicked.
    pub panic: Option<Panic>,
    /// A magic measured something.
    pub measured: Option<Measured>,
    /// How far a measurement over time has come that is not over.
    pub progress: Option<TimelineMeasurement>,
    /// What functions with `#[profile]` have counted.
    pub counted: Option<LinesMeasurement>,
    /// The session process ended.
    pub ended: Option<Ended>,
    /// The session has gone on from the checkpoint of the cell.
    pub restored: bool,
    /// The last thing that it displayed, if it did nothing after that.
    pub displayed: Option<Displayed>,
}

#[derive(Default)]
pub(super) struct LinkState {
    /// To the supervisor; `None` when it has ended.
    pub(super) supervisor: Option<UnixStream>,
    pub(super) pid: Option<u32>,
    pub(super) output: Option<Arc<dyn Output>>,
    /// Draws how far a measurement over time has come.
    pub(super) draw: Option<Draw>,
    pub(super) told: CellOutcome,
    /// A cell runs.
    pub(super) busy: bool,
    pub(super) interrupted: bool,
    pub(super) synced: u64,
    pub(super) described: Option<Described>,
    pub(super) undone: Option<bool>,
}

pub(super) struct Shared {
    pub(super) state: Mutex<LinkState>,
    pub(super) changed: Condvar,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where output goes now. The lock is not held while it is delivered, which may take its time.
    pub(super) fn output(&self) -> Option<Arc<dyn Output>> {
        self.lock().output.clone()
    }

    /// Waits until `answer` finds one, the supervisor has ended, or `limit` is over.
    pub(super) fn wait_for<T>(
        &self,
        state: MutexGuard<'_, LinkState>,
        limit: Duration,
        mut answer: impl FnMut(&mut LinkState) -> Option<T>,
    ) -> Option<T> {
        let mut found = None;
        let waited = self.changed.wait_timeout_while(state, limit, |state| {
            found = answer(state);
            found.is_none() && state.supervisor.is_some()
        });
        drop(waited);
        found
    }
}

impl LinkState {
    pub(super) fn send(&mut self, request: Request) -> io::Result<()> {
        match &mut self.supervisor {
            Some(supervisor) => request.write(supervisor),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Takes what an event tells, other than output.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Started(process) => self.pid = Some(process.pid),
            Event::Restored(process) => {
                self.pid = Some(process.pid);
                self.told.restored = true;
            }
            Event::Panicked(panic) => self.told.panic = Some(panic),
            Event::Measured(measured) | Event::Kept(measured) => {
                self.told.measured = Some(measured);
            }
            Event::Counted(counted) => self.told.counted = Some(counted),
            Event::Ended(ended) => {
                self.pid = None;
                self.told.ended = Some(ended);
            }
            Event::Described(described) => self.described = Some(described),
            Event::Undone(undone) => self.undone = Some(undone),
            // Output is delivered elsewhere; the others stay with the supervisor.
            Event::Stdout(_)
            | Event::Stderr(_)
            | Event::Progress(_)
            | Event::Displayed(_)
            | Event::ClearOutput(_)
            | Event::Synced(_)
            | Event::Checkpointed(_)
            | Event::Unprotected(_)
            | Event::Completed => {}
        }
    }
}
