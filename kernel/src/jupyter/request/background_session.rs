//! A session that starts in the background while the kernel answers requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

use crate::jupyter::lifecycle::{Alive, Interrupt};
use crate::session::{CellError, Output, Session};

/// A session that is starting, running, or could not be started.
pub(crate) struct BackgroundSession {
    state: Startup,
    interrupt: Interrupt,
}

/// How often a cell that waits for the session checks whether it has been interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// How long a cell waits before the user reads what for.
const PATIENCE: Duration = Duration::from_secs(1);
const STARTING: &str = "Starting the session …";

enum Startup {
    Starting(Receiver<anyhow::Result<Session>>),
    Running(Box<Session>),
    Failed(String),
}

impl From<anyhow::Result<Session>> for Startup {
    fn from(started: anyhow::Result<Session>) -> Self {
        match started {
            Ok(session) => Self::Running(Box::new(session)),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

impl BackgroundSession {
    /// Starts a session on a separate thread, and connects `interrupt` to it. `shows_costs` shows below each cell
    /// what the cell has cost.
    pub(crate) fn start(
        interrupt: Interrupt,
        alive: Alive,
        shows_costs: bool,
    ) -> anyhow::Result<Self> {
        let (started, session) = sync_channel(1);
        let connected = interrupt.clone();
        thread::Builder::new()
            .name("session".to_owned())
            .spawn(move || {
                let mut session =
                    Session::start().inspect(|session| connected.connect(session.interrupter()));
                if let Ok(session) = &mut session
                    && shows_costs
                {
                    session.costs().show(true);
                }
                // If the kernel is ending, nobody receives the session, and it is dropped here.
                let _ = started.send(session);
                drop(alive);
            })
            .context("cannot start the session thread")?;
        Ok(Self {
            state: Startup::Starting(session),
            interrupt,
        })
    }

    /// Called when a cell starts, before clients see it: from now on interrupts are meant for this
    /// cell.
    pub(super) fn begin_cell(&self) {
        self.interrupt.forget();
    }

    /// Waits until the session has started. Tells a user who has waited for long on `output`.
    ///
    /// # Errors
    ///
    /// If the session cannot be started, or the waiting cell is interrupted.
    pub(super) fn wait(&mut self, output: &dyn Output) -> Result<&mut Session, CellError> {
        let began = Instant::now();
        let mut is_told = false;
        while let Startup::Starting(session) = &self.state {
            if began.elapsed() > PATIENCE && !is_told {
                output.progress(Some(STARTING));
                is_told = true;
            }
            match session.recv_timeout(LOOK) {
                Ok(started) => self.state = Startup::from(started),
                Err(RecvTimeoutError::Disconnected) => {
                    let panicked = Err(anyhow!("its thread panicked while starting it"));
                    self.state = Startup::from(panicked);
                }
                Err(RecvTimeoutError::Timeout) if self.interrupt.is_asked() => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        if is_told {
            output.progress(None);
        }
        if self.interrupt.is_asked() {
            return Err(CellError::interrupted());
        }
        match &mut self.state {
            Startup::Running(session) => Ok(session),
            Startup::Failed(why) => Err(no_session(why)),
            Startup::Starting(_) => unreachable!("the session was waited for"),
        }
    }

    /// Whether the session is still starting.
    pub(super) fn is_starting(&mut self) -> bool {
        let _ = self.get();
        matches!(self.state, Startup::Starting(_))
    }

    /// The session, if it has started already.
    pub(super) fn get(&mut self) -> Option<&mut Session> {
        if let Startup::Starting(session) = &self.state {
            self.state = Startup::from(session.try_recv().ok()?);
        }
        match &mut self.state {
            Startup::Running(session) => Some(session),
            Startup::Starting(_) | Startup::Failed(_) => None,
        }
    }
}

#[cfg(test)]
impl BackgroundSession {
    /// A session that could not be started.
    pub(super) fn failed(why: &str) -> Self {
        Self {
            state: Startup::Failed(why.to_owned()),
            interrupt: Interrupt::default(),
        }
    }
}

fn no_session(why: &str) -> CellError {
    CellError::internal(
        "SessionError",
        format!("the Rust session could not be started: {why}"),
        "Fix the cause, then restart the kernel.",
    )
}

/// Calls into the session. The analyser can panic on half-typed code; then the message of the panic
/// is returned, and the kernel lives on.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        message.unwrap_or("no message").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::request::cell_output::Silence;

    #[test]
    fn a_cell_can_be_interrupted_before_it_waits_for_the_session() {
        let interrupt = Interrupt::default();
        let (_starts_for_ever, session) = sync_channel(1);
        let mut waiting = BackgroundSession {
            state: Startup::Starting(session),
            interrupt: interrupt.clone(),
        };
        waiting.begin_cell();
        interrupt.interrupt();
        let error = waiting.wait(&Silence).err().unwrap();
        assert_eq!(error.ename, CellError::INTERRUPTED);
        waiting.begin_cell();
        assert!(!interrupt.is_asked());
    }

    #[test]
    fn a_panic_in_the_session_is_reported_by_its_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(
            guarded(|| panic!("at the disco")),
            Err::<(), _>("at the disco".to_owned())
        );
        let formatted = guarded(|| panic!("{} lines", 3));
        assert_eq!(formatted, Err::<(), _>("3 lines".to_owned()));
    }
}
