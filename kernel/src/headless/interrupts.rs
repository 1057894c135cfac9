//! Sessions that Ctrl-C interrupts, and cells with a time limit.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::session::{Interrupter, Session};

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Starts a session. Ctrl-C interrupts its running cell; a second Ctrl-C ends the program.
pub(super) fn start_session() -> anyhow::Result<Session> {
    // Before the session starts, so that an early signal neither gets lost nor leaves files behind.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let session = Session::start()?;
    let interrupter = session.interrupter();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut asked = false;
            for _ in signals.forever() {
                if std::mem::replace(&mut asked, true) {
                    crate::remove_files();
                    std::process::exit(INTERRUPTED);
                }
                interrupter.interrupt();
            }
        })?;
    Ok(session)
}

/// Interrupts a cell after `limit`, unless the returned sender is dropped before.
pub(super) fn interrupt_after(
    interrupter: Interrupter,
    limit: Duration,
) -> anyhow::Result<Sender<()>> {
    let (done, waiting) = channel();
    std::thread::Builder::new()
        .name("timeout".to_owned())
        .spawn(move || {
            if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                interrupter.interrupt();
            }
        })?;
    Ok(done)
}
