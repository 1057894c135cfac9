//! Cells without Jupyter: `memit run` and `memit eval`.

mod console;
mod eval;
mod notebook;
mod notebook_output;
mod run;
mod terminal;

pub(crate) use eval::eval;
pub(crate) use run::{RunOptions, run};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::session::{Interrupter, Session};

/// Starts a session whose cells Ctrl-C interrupts. A second Ctrl-C ends the program.
fn start_session() -> anyhow::Result<Session> {
    // Before the session, so that a signal meanwhile is not lost and nothing is left behind.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let session = Session::start()?;
    let interrupter = session.interrupter();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut asked = false;
            for _ in signals.forever() {
                if std::mem::replace(&mut asked, true) {
                    std::process::exit(INTERRUPTED);
                }
                interrupter.interrupt();
            }
        })?;
    Ok(session)
}

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Interrupts a cell when its time is over.
fn interrupt_after(
    interrupter: Interrupter,
    limit: std::time::Duration,
) -> anyhow::Result<std::sync::mpsc::Sender<()>> {
    let (done, waiting) = std::sync::mpsc::channel();
    std::thread::Builder::new()
        .name("timeout".to_owned())
        .spawn(move || {
            use std::sync::mpsc::RecvTimeoutError::Timeout;
            // Sending or dropping `done` means that the cell has ended in time.
            if waiting.recv_timeout(limit) == Err(Timeout) {
                interrupter.interrupt();
            }
        })?;
    Ok(done)
}
