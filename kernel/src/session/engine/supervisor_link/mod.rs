//! The kernel's end of the connection to the supervisor of the session's processes.

mod interrupt_sender;
mod reader;
mod stack;
mod state;
mod utf8;

pub(crate) use interrupt_sender::InterruptSender;
pub(crate) use state::{CellOutcome, ShowPlaced};

use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use memit_magics::magic::Draw;
use memit_measurement::{Described, Ended, Request};
use memit_process::process;
use memit_session_process::supervisor;

use crate::session::io::Output;
use crate::tools_environment;
use state::{LinkState, Shared};

/// The connection. A reader thread delivers output as it arrives.
pub(crate) struct SupervisorLink {
    shared: Arc<Shared>,
    supervisor: Child,
    /// Contains the socket of the relays and other files of the session. Removed with the link.
    directory: tempfile::TempDir,
}

/// The longest wait for an answer of the supervisor.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest wait for the news of how the session process ended.
const END_TIMEOUT: Duration = Duration::from_secs(2);

impl SupervisorLink {
    /// Starts the supervisor.
    pub(crate) fn start() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("memit-").tempdir()?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let supervisor = start_supervisor(directory.path(), &shared)?;
        Ok(Self {
            shared,
            supervisor,
            directory,
        })
    }

    /// Starts another supervisor in place of one that has ended.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        let _ = self.supervisor.wait();
        let _ = fs::remove_file(self.socket());
        self.supervisor = start_supervisor(self.directory.path(), &self.shared)?;
        if self.shared.lock().input_is_closed {
            self.close_input();
        }
        Ok(())
    }

    /// Ends standard input of the cells.
    pub(crate) fn close_input(&self) {
        let mut state = self.shared.lock();
        state.input_is_closed = true;
        let _ = state.send(Request::CloseInput);
    }

    /// Whether the supervisor has ended.
    pub(crate) fn is_lost(&self) -> bool {
        // A supervisor that is ending looks alive, but does not answer.
        if !self.is_in_sync() {
            // The reader thread may still have events of the supervisor to read.
            let state = self.shared.lock();
            self.shared.wait_for(state, END_TIMEOUT, |_| None::<()>);
        }
        self.shared.lock().supervisor.is_none()
    }

    /// A directory for files of the session. Removed with the link.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The path of the socket that relays connect to.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory().join(SOCKET_NAME)
    }

    /// Starts a cell: `output` receives its output, and the outcome of earlier cells is discarded.
    pub(crate) fn begin_cell(&self, number: u64, output: Arc<dyn Output>) {
        let mut state = self.shared.lock();
        state.output = Some(output);
        state.outcome = CellOutcome::default();
        state.busy = true;
        let _ = state.send(Request::BeginCell(number));
    }

    /// Sends the output from now on here, when all output so far has been delivered.
    pub(crate) fn output_to(&self, output: Arc<dyn Output>) {
        self.sync();
        self.shared.lock().output = Some(output);
    }

    /// Ends the cell: waits until all of its output has been delivered.
    pub(crate) fn end_cell(&self) {
        self.sync();
        self.shared.lock().busy = false;
    }

    /// Sets the function that draws unfinished timelines; `None` draws nothing.
    pub(crate) fn draw_by(&self, draw: Option<Draw>) {
        self.shared.lock().draw = draw;
    }

    /// Sets the function that shows the results of magics in blocks.
    pub(crate) fn show_placed_by(&self, show: ShowPlaced) {
        self.shared.lock().show_placed = Some(show);
    }

    /// Announces that the code that runs next leaves the session unchanged.
    pub(crate) fn pass(&self) {
        let _ = self.shared.lock().send(Request::Passing);
    }

    /// Announces the prelude: every later session process runs it first, too.
    pub(crate) fn expect_prelude(&self) {
        let _ = self.shared.lock().send(Request::Prelude);
    }

    /// Takes the outcome of the code that ran since the last call or the start of the cell, after
    /// all of its output has been delivered.
    pub(crate) fn take_outcome(&self) -> CellOutcome {
        self.sync();
        std::mem::take(&mut self.shared.lock().outcome)
    }

    /// Waits until all output that was written so far has been delivered.
    pub(crate) fn sync(&self) {
        if !self.is_in_sync() && self.shared.lock().supervisor.is_some() {
            tracing::warn!("the session did not deliver its output in time");
        }
    }

    /// Waits until all output that was written so far has been delivered; false if the supervisor does not
    /// answer.
    fn is_in_sync(&self) -> bool {
        let mut state = self.shared.lock();
        let number = state.synced + 1;
        if state.send(Request::Sync(number)).is_err() {
            return false;
        }
        let is_synced = |state: &mut LinkState| (state.synced >= number).then_some(());
        let synced = self.shared.wait_for(state, ANSWER_TIMEOUT, is_synced);
        synced.is_some()
    }

    /// Describes the processes of the session; `None` if there are none.
    pub(crate) fn describe(&self) -> Option<Described> {
        let mut state = self.shared.lock();
        state.described = None;
        state.send(Request::Describe).ok()?;
        let answer = |state: &mut LinkState| state.described.take();
        self.shared.wait_for(state, ANSWER_TIMEOUT, answer)
    }

    /// Takes the session process back to the start of a cell; false if that cell has no checkpoint.
    /// Afterwards evcxr must start its child again.
    pub(crate) fn undo(&self, cell: u64) -> bool {
        let mut state = self.shared.lock();
        state.undone = None;
        if state.send(Request::Undo(cell)).is_err() {
            return false;
        }
        let answer = |state: &mut LinkState| state.undone.take();
        self.shared
            .wait_for(state, ANSWER_TIMEOUT, answer)
            .unwrap_or(false)
    }

    /// Makes the supervisor forget the session when evcxr starts its child again.
    pub(crate) fn clear(&self) {
        let _ = self.shared.lock().send(Request::Clear);
        // evcxr's child may reach the supervisor before the request.
        self.sync();
    }

    /// How the session process ended. To be called once evcxr has noticed the end: the supervisor
    /// has then sent the news, but the reader thread may not have read it yet.
    pub(crate) fn wait_for_end(&self) -> Option<Ended> {
        let answer = |state: &mut LinkState| state.outcome.ended.take();
        self.shared
            .wait_for(self.shared.lock(), END_TIMEOUT, answer)
    }

    /// Whether the running cell has been interrupted.
    pub(crate) fn interrupted(&self) -> bool {
        self.shared.lock().interrupted
    }

    /// Whether the process that runs the cell has ended.
    pub(crate) fn has_ended(&self) -> bool {
        let state = self.shared.lock();
        state.pid.is_none() || state.outcome.ended.is_some()
    }

    /// The number of threads of the session process; 1 if it is unknown.
    pub(crate) fn threads(&self) -> u32 {
        let pid = self.shared.lock().pid;
        pid.and_then(process::threads).unwrap_or(1)
    }

    /// The working directory of the session process, as far as the system tells.
    pub(crate) fn working_directory(&self) -> PathBuf {
        self.shared.lock().working_directory()
    }

    /// A handle that interrupts the session from any thread.
    pub(crate) fn interrupt_sender(&self) -> InterruptSender {
        InterruptSender {
            shared: Arc::clone(&self.shared),
        }
    }
}

/// Starts a supervisor that listens in the directory, and a thread that reads its events.
fn start_supervisor(directory: &Path, shared: &Arc<Shared>) -> io::Result<Child> {
    let relays = UnixListener::bind(directory.join(SOCKET_NAME))?;
    let (kernel, supervisor) = UnixStream::pair()?;
    let mut command = Command::new(std::env::current_exe()?);
    tools_environment::leave(&mut command);
    command
        .arg(supervisor::ARGUMENT)
        .stdin(OwnedFd::from(relays))
        .stdout(OwnedFd::from(supervisor));
    let process = stack::with_large_stack(|| command.spawn())?;
    shared.lock().supervisor = Some(kernel.try_clone()?);
    let reading = Arc::clone(shared);
    // `ps` and debuggers show this name.
    std::thread::Builder::new()
        .name("session output".to_owned())
        .spawn(move || reader::read(&reading, kernel))?;
    Ok(process)
}

impl Drop for SupervisorLink {
    fn drop(&mut self) {
        // The end of the stream makes the supervisor end all processes of the session, and itself.
        if let Some(supervisor) = self.shared.lock().supervisor.take() {
            let _ = supervisor.shutdown(Shutdown::Both);
        }
        let _ = self.supervisor.wait();
    }
}

const SOCKET_NAME: &str = "session.sock";
