//! The kernel's end of the connection to the session's processes.

use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memit_runtime::link::{Ended, Event, Request};
use memit_runtime::measurement::{Measured, Panic};
use memit_runtime::process;

use super::output::{Output, Stream};
use super::utf8::Decoder;

/// What the session's processes told about the cell that runs, apart from its output.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// It panicked.
    pub panic: Option<Panic>,
    /// A magic measured something.
    pub measured: Option<Measured>,
    /// The session process ended.
    pub ended: Option<Ended>,
}

#[derive(Default)]
struct State {
    /// To the supervisor; replaced when evcxr starts a new one.
    supervisor: Option<UnixStream>,
    pid: Option<u32>,
    /// How many session processes there have been.
    generation: u64,
    output: Option<Arc<dyn Output>>,
    told: Told,
    interrupted: bool,
    synced: u64,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection. Reader threads deliver output as it comes.
pub(crate) struct Link {
    shared: Arc<Shared>,
    /// Where the supervisor connects; the directory is removed with the link.
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
    }
}

/// Longest wait for output that has been written already.
const SYNC_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for word of how the session process ended.
const END_TIMEOUT: Duration = Duration::from_secs(2);

impl Link {
    /// Listens for the supervisor.
    pub(crate) fn listen() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("memit-").tempdir()?;
        let listener = UnixListener::bind(directory.path().join(SOCKET_NAME))?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        spawn("session link", move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                let reading = spawn("session output", move || read(&shared, connection));
                if let Err(error) = reading {
                    tracing::error!("the session's output cannot be read: {error}");
                }
            }
        })?;
        Ok(Self { shared, directory })
    }

    /// The path that the supervisor must connect to.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join(SOCKET_NAME)
    }

    /// From now on output goes to `output`, and what was told of earlier cells is forgotten.
    pub(crate) fn begin_cell(&self, output: Arc<dyn Output>) {
        let mut state = self.shared.lock();
        state.output = Some(output);
        state.told = Told::default();
        state.interrupted = false;
        let _ = state.send(Request::BeginCell);
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
        let generation = state.generation;
        if state.send(Request::Sync(number)).is_err() {
            return;
        }
        let waiting = |state: &mut State| {
            state.synced < number && state.generation == generation && state.supervisor.is_some()
        };
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, SYNC_TIMEOUT, waiting);
        if waited.is_ok_and(|(_, timeout)| timeout.timed_out()) {
            tracing::warn!("the session did not deliver its output in time");
        }
    }

    /// How the session process ended, when it is known to have ended. Its supervisor has told, but
    /// evcxr may have started the next one before that was read.
    pub(crate) fn wait_for_end(&self) -> Option<Ended> {
        let state = self.shared.lock();
        let waiting = |state: &mut State| state.told.ended.is_none();
        match self
            .shared
            .changed
            .wait_timeout_while(state, END_TIMEOUT, waiting)
        {
            Ok((mut state, _)) => state.told.ended.take(),
            Err(_) => None,
        }
    }

    /// Whether the running cell has been interrupted.
    pub(crate) fn interrupted(&self) -> bool {
        self.shared.lock().interrupted
    }

    /// Whether there is a session process.
    pub(crate) fn is_connected(&self) -> bool {
        self.shared.lock().supervisor.is_some()
    }

    /// Counts the session processes that there have been.
    pub(crate) fn generation(&self) -> u64 {
        self.shared.lock().generation
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

const SOCKET_NAME: &str = "session.sock";

impl State {
    fn send(&mut self, request: Request) -> io::Result<()> {
        match &mut self.supervisor {
            Some(supervisor) => request.write(supervisor),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Starts a thread that `ps` and debuggers show by name.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
}

/// Delivers what one supervisor sends, until it ends.
fn read(shared: &Shared, mut connection: UnixStream) {
    let mut stdout = Decoder::default();
    let mut stderr = Decoder::default();
    let mut generation = 0;
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
            Event::Started(started) => {
                let mut state = shared.lock();
                state.supervisor = connection.try_clone().ok();
                state.pid = Some(started.pid);
                state.generation += 1;
                generation = state.generation;
                shared.changed.notify_all();
            }
            Event::Stdout(bytes) => deliver(shared, Stream::Stdout, &stdout.decode(&bytes)),
            Event::Stderr(bytes) => deliver(shared, Stream::Stderr, &stderr.decode(&bytes)),
            Event::Panicked(panic) => shared.lock().told.panic = Some(panic),
            Event::Measured(measured) => shared.lock().told.measured = Some(measured),
            Event::Ended(ended) => {
                shared.lock().told.ended = Some(ended);
                shared.changed.notify_all();
            }
            Event::Synced(number) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                deliver(shared, Stream::Stderr, &stderr.finish());
                shared.lock().synced = number;
                shared.changed.notify_all();
            }
            Event::Completed => {}
        }
    }
    let mut state = shared.lock();
    if state.generation == generation {
        state.supervisor = None;
        state.pid = None;
    }
    shared.changed.notify_all();
}

fn deliver(shared: &Shared, stream: Stream, text: &str) {
    if text.is_empty() {
        return;
    }
    // The lock is not held while the output is delivered, which may take its time.
    let output = shared.lock().output.clone();
    if let Some(output) = output {
        output.stream(stream, text);
    } else {
        tracing::debug!("output before the first cell: {text:?}");
    }
}
