//! The kernel's end of the connection to the session's processes.

use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memit_magics::magic::Draw;
use memit_runtime::link::{Described, Displayed, Ended, Event, Request};
use memit_runtime::measurement::{LinesMeasurement, Measured, Panic, TimelineMeasurement};
use memit_runtime::{process, supervisor};

use super::output::{Output, Stream};
use super::utf8::Decoder;
use super::{build, bundle};

/// What the session's processes told about the cell that runs, apart from its output.
#[derive(Debug, Default)]
pub(crate) struct Told {
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
struct State {
    /// To the supervisor; `None` when it has ended.
    supervisor: Option<UnixStream>,
    pid: Option<u32>,
    output: Option<Arc<dyn Output>>,
    /// Draws how far a measurement over time has come.
    draw: Option<Draw>,
    told: Told,
    /// A cell runs.
    busy: bool,
    interrupted: bool,
    synced: u64,
    described: Option<Described>,
    undone: Option<bool>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where output goes now. The lock is not held while it is delivered, which may take its time.
    fn output(&self) -> Option<Arc<dyn Output>> {
        self.lock().output.clone()
    }

    /// Waits until `answer` finds one, the supervisor has ended, or `limit` is over.
    fn wait_for<T>(
        &self,
        state: MutexGuard<'_, State>,
        limit: Duration,
        mut answer: impl FnMut(&mut State) -> Option<T>,
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

/// The connection. A reader thread delivers output as it comes.
pub(crate) struct Link {
    shared: Arc<Shared>,
    supervisor: Child,
    /// Where relays connect, among others; it is removed with the link.
    directory: tempfile::TempDir,
}

/// Stops what the session is running. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(crate) struct Interrupter {
    shared: Arc<Shared>,
}

impl Interrupter {
    /// Asks the running cell to stop; returns at once.
    pub(crate) fn interrupt(&self) {
        let mut state = self.shared.lock();
        state.interrupted = true;
        if let Err(error) = state.send(Request::Interrupt) {
            tracing::warn!("the interrupt did not reach the session: {error}");
        }
        let busy = state.busy;
        drop(state);
        if busy {
            build::stop();
        }
    }

    /// A cell begins: an interrupt until now was none of it.
    pub(crate) fn forget(&self) {
        self.shared.lock().interrupted = false;
    }
}

/// Longest wait for an answer of the supervisor.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for word of how the session process ended.
const END_TIMEOUT: Duration = Duration::from_secs(2);

impl Link {
    /// Starts the supervisor.
    pub(crate) fn start() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("memit-").tempdir()?;
        let relays = UnixListener::bind(directory.path().join(SOCKET_NAME))?;
        let (kernel, supervisor) = UnixStream::pair()?;
        let process = Command::new(std::env::current_exe()?)
            .arg(supervisor::ARGUMENT)
            .stdin(OwnedFd::from(relays))
            .stdout(OwnedFd::from(supervisor))
            .spawn()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                supervisor: Some(kernel.try_clone()?),
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        let reading = Arc::clone(&shared);
        // `ps` and debuggers show the thread by this name.
        std::thread::Builder::new()
            .name("session output".to_owned())
            .spawn(move || read(&reading, kernel))?;
        Ok(Self {
            shared,
            supervisor: process,
            directory,
        })
    }

    /// A directory for what belongs to the session; it goes with the link.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The path that relays must connect to.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory().join(SOCKET_NAME)
    }

    /// From now on output goes to `output`, and what was told of earlier cells is forgotten.
    pub(crate) fn begin_cell(&self, number: u64, output: Arc<dyn Output>) {
        let mut state = self.shared.lock();
        state.output = Some(output);
        state.told = Told::default();
        state.busy = true;
        let _ = state.send(Request::BeginCell(number));
    }

    /// Waits until all output of the cell has been delivered; it is over then.
    pub(crate) fn end_cell(&self) {
        self.sync();
        self.shared.lock().busy = false;
    }

    /// How far a measurement over time has come is drawn by `draw`, until there is another.
    pub(crate) fn draw_by(&self, draw: Option<Draw>) {
        self.shared.lock().draw = draw;
    }

    /// What runs next leaves the session as it is.
    pub(crate) fn pass(&self) {
        let _ = self.shared.lock().send(Request::Passing);
    }

    /// What runs next is also what every later session process runs first.
    pub(crate) fn expect_prelude(&self) {
        let _ = self.shared.lock().send(Request::Prelude);
    }

    /// What has been told since the last call or the beginning of the cell, all output before
    /// it having been delivered.
    pub(crate) fn take_told(&self) -> Told {
        self.sync();
        std::mem::take(&mut self.shared.lock().told)
    }

    /// Waits until all output that has been written so far has been delivered.
    pub(crate) fn sync(&self) {
        let mut state = self.shared.lock();
        let number = state.synced + 1;
        if state.send(Request::Sync(number)).is_err() {
            return;
        }
        let is_synced = |state: &mut State| (state.synced >= number).then_some(());
        if self
            .shared
            .wait_for(state, ANSWER_TIMEOUT, is_synced)
            .is_none()
        {
            tracing::warn!("the session did not deliver its output in time");
        }
    }

    /// What the session's processes are and hold; `None` if there are none.
    pub(crate) fn describe(&self) -> Option<Described> {
        let mut state = self.shared.lock();
        state.described = None;
        state.send(Request::Describe).ok()?;
        let answer = |state: &mut State| state.described.take();
        self.shared.wait_for(state, ANSWER_TIMEOUT, answer)
    }

    /// Goes back to the beginning of a cell; false if there is no checkpoint of it. evcxr must
    /// start its child anew afterwards.
    pub(crate) fn undo(&self, cell: u64) -> bool {
        let mut state = self.shared.lock();
        state.undone = None;
        if state.send(Request::Undo(cell)).is_err() {
            return false;
        }
        let answer = |state: &mut State| state.undone.take();
        self.shared
            .wait_for(state, ANSWER_TIMEOUT, answer)
            .unwrap_or(false)
    }

    /// How the session process ended, when it is known to have ended. Its supervisor has told, but
    /// evcxr may have started the next one before that was read.
    pub(crate) fn wait_for_end(&self) -> Option<Ended> {
        let answer = |state: &mut State| state.told.ended.take();
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
        state.pid.is_none() || state.told.ended.is_some()
    }

    /// Threads of the session process; 1 if that cannot be told.
    pub(crate) fn threads(&self) -> u32 {
        let pid = self.shared.lock().pid;
        pid.and_then(process::threads).unwrap_or(1)
    }

    /// A handle that interrupts.
    pub(crate) fn interrupter(&self) -> Interrupter {
        Interrupter {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // At the end of the stream the supervisor ends all of the session's processes, and itself.
        if let Some(supervisor) = self.shared.lock().supervisor.take() {
            let _ = supervisor.shutdown(Shutdown::Both);
        }
        let _ = self.supervisor.wait();
    }
}

const SOCKET_NAME: &str = "session.sock";

impl State {
    fn send(&mut self, request: Request) -> io::Result<()> {
        match &mut self.supervisor {
            Some(supervisor) => request.write(supervisor),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Delivers what the supervisor sends, until it ends.
fn read(shared: &Shared, mut connection: UnixStream) {
    let mut stdout = Decoder::default();
    let mut stderr = Decoder::default();
    loop {
        let event = match Event::read(&mut connection) {
            Ok(Some(event)) => event,
            Ok(None) => break,
            // A supervisor that was killed with our requests unread.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => {
                tracing::warn!("the session's output is broken off: {error}");
                break;
            }
        };
        match event {
            Event::Stdout(bytes) => deliver(shared, Stream::Stdout, &stdout.decode(&bytes)),
            Event::Stderr(bytes) => deliver(shared, Stream::Stderr, &stderr.decode(&bytes)),
            Event::Displayed(displayed) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                display(shared, displayed);
            }
            Event::ClearOutput(wait) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                deliver(shared, Stream::Stderr, &stderr.finish());
                if let Some(output) = shared.output() {
                    output.clear(wait);
                }
            }
            Event::Synced(number) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                deliver(shared, Stream::Stderr, &stderr.finish());
                shared.lock().synced = number;
            }
            Event::Progress(progress) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                preview(shared, progress);
            }
            told => shared.lock().take(told),
        }
        shared.changed.notify_all();
    }
    let mut state = shared.lock();
    state.supervisor = None;
    state.pid = None;
    shared.changed.notify_all();
}

impl State {
    fn take(&mut self, event: Event) {
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

/// Shows an output, unless it is the last of its cell: that may be the cell's value.
fn display(shared: &Shared, displayed: Displayed) {
    let mut state = shared.lock();
    if displayed.last {
        state.told.displayed = Some(displayed);
        return;
    }
    let output = state.output.clone();
    drop(state);
    if let (Some(output), Some(data)) = (output, bundle::of_contents(displayed.pairs())) {
        output.display(data);
    }
}

/// Keeps how far a measurement has come, and draws it.
fn preview(shared: &Shared, progress: TimelineMeasurement) {
    let mut state = shared.lock();
    state.told.progress = Some(progress.clone());
    let (output, draw) = (state.output.clone(), state.draw.clone());
    drop(state);
    if let (Some(output), Some(draw)) = (output, draw) {
        output.preview(bundle::of_preview(draw(progress)));
    }
}

fn deliver(shared: &Shared, stream: Stream, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(output) = shared.output() {
        output.stream(stream, text);
    } else {
        tracing::debug!("output before the first cell: {text:?}");
    }
}
