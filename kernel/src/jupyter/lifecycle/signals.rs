//! Signals of the operating system: SIGINT interrupts the cell, SIGTERM ends the kernel in order.

use std::thread;

use anyhow::Context as _;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::exit::ExitRequest;
use super::interrupt::Interrupt;

/// Starts the thread that handles signals, which runs until the process ends.
pub(crate) fn handle(interrupt: Interrupt, exit: ExitRequest) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot handle signals")?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGTERM => exit.request(),
                    _ => interrupt.interrupt(),
                }
            }
        })
        .context("cannot start the signals thread")?;
    Ok(())
}
