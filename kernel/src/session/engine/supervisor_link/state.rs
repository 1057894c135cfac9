//! The state of the connection, which the kernel's threads share.

use std::env;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memit_magics::magic::Draw;
use memit_measure::protocol::Frame as _;
use memit_measurement::{Described, Displayed, Ended, Event, Remark, Request};
use memit_measurement::{
    LinesMeasurement, Measured, Panic, Placed, QuestionMark, RunCost, TimelineMeasurement,
};

use memit_process::process;

use crate::session::io::Output;

/// The outcome of the code that ran last, apart from its output.
#[derive(Debug, Default)]
pub(crate) struct CellOutcome {
    /// The panic of the code.
    pub panic: Option<Panic>,
    /// The `?` that ended the code.
    pub failed: Option<QuestionMark>,
    /// What the figures of the measurement do not show.
    pub remarks: Vec<Remark>,
    /// What the code has cost, if it came to its end.
    pub cost: Option<RunCost>,
    /// The measurement of a magic.
    pub measured: Option<Measured>,
    /// An unfinished timeline, as far as it has come.
    pub progress: Option<TimelineMeasurement>,
    /// The counts of the functions with `#[profile]`.
    pub counted: Option<LinesMeasurement>,
    /// The variables that the code expects and the session does not have.
    pub lost: Vec<String>,
    /// The variables whose types only rustc knows, with rustc's names of the types.
    pub named: Vec<(String, String)>,
    /// Why the session process could not be started.
    pub not_started: Option<String>,
    /// How the session process ended.
    pub ended: Option<Ended>,
    /// The variables that were given up and whose destructors panicked.
    pub leaked: Vec<String>,
    /// Whether a checkpoint has restored the session.
    pub restored: bool,
    /// The last display, if the code did nothing after it.
    pub displayed: Option<Displayed>,
}

/// Shows the result of a magic in a block. Relative paths of files start from the directory.
pub(crate) type ShowPlaced = Arc<dyn Fn(Placed, &dyn Output, &Path) + Send + Sync>;

/// The current cell and the answers of the supervisor.
#[derive(Default)]
pub(super) struct LinkState {
    /// The stream to the supervisor; `None` after the supervisor has ended.
    pub(super) supervisor: Option<UnixStream>,
    pub(super) pid: Option<u32>,
    pub(super) output: Option<Arc<dyn Output>>,
    /// Shows the results of magics in blocks.
    pub(super) show_placed: Option<ShowPlaced>,
    /// Draws unfinished timelines.
    pub(super) draw: Option<Draw>,
    pub(super) outcome: CellOutcome,
    /// Whether a cell runs.
    pub(super) busy: bool,
    pub(super) interrupted: bool,
    /// Whether standard input of the cells is at its end.
    pub(super) input_is_closed: bool,
    pub(super) synced: u64,
    pub(super) described: Option<Described>,
    pub(super) undone: Option<bool>,
}

/// The state, and the signal that it has changed.
pub(super) struct Shared {
    pub(super) state: Mutex<LinkState>,
    pub(super) changed: Condvar,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The output of the current cell. Callers deliver to it without the lock, because delivery may
    /// block.
    pub(super) fn output(&self) -> Option<Arc<dyn Output>> {
        self.lock().output.clone()
    }

    /// Waits until `answer` returns a value or the supervisor has ended, for at most `limit`.
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

    /// The working directory of the session process. Where the system does not tell, the directory in
    /// which the process has started, which is the kernel's.
    pub(super) fn working_directory(&self) -> PathBuf {
        let of_session = self.pid.and_then(process::working_directory);
        of_session
            .or_else(|| env::current_dir().ok())
            .unwrap_or_default()
    }

    /// Records an event that is not output.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Started(process) => self.pid = Some(process.pid),
            Event::Restored(process) => {
                self.pid = Some(process.pid);
                self.outcome.restored = true;
            }
            Event::NotStarted(reason) => self.outcome.not_started = Some(reason),
            Event::Panicked(panic) => self.outcome.panic = Some(panic),
            Event::Failed(failed) => self.outcome.failed = Some(failed),
            Event::Remarked(remarks) => self.outcome.remarks = remarks,
            Event::Measured(measured) | Event::Kept(measured) => {
                self.outcome.measured = Some(measured);
            }
            Event::Ran(cost) => self.outcome.cost = Some(cost),
            Event::Counted(counted) => self.outcome.counted = Some(counted),
            Event::Ended(ended) => {
                self.pid = None;
                self.outcome.ended = Some(ended);
            }
            Event::VariableLost(name) => self.outcome.lost.push(name),
            Event::VariableNamed { name, of } => self.outcome.named.push((name, of)),
            Event::VariableLeaked(name) => self.outcome.leaked.push(name),
            Event::Described(described) => self.described = Some(described),
            Event::Undone(undone) => self.undone = Some(undone),
            // The reader delivers output. The other events stay with the supervisor.
            Event::Stdout(_)
            | Event::Stderr(_)
            | Event::Progress(_)
            | Event::Placed(_)
            | Event::Displayed(_)
            | Event::ClearOutput(_)
            | Event::Synced(_)
            | Event::Checkpointed(_)
            | Event::Unprotected(_)
            | Event::Uncaught
            | Event::Completed => {}
        }
    }
}
