//! The status line at the bottom of the terminal, with the memory of the program.
//!
//! The program writes to the same terminal. The last line is therefore excluded from scrolling, as
//! package managers do, and released at the end.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use memit_magics::units;
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use terminal_size::{Height, terminal_size_of};

/// Time between updates of the line.
const EVERY: Duration = Duration::from_millis(100);
/// A terminal with fewer lines has none to spare.
const FEWEST: u16 = 4;

pub(super) struct Status {
    is_on: bool,
    /// Height of the terminal, while its last line is reserved.
    lines: Option<u16>,
    shown: Option<Duration>,
}

impl Status {
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            is_on: !quiet && stderr().is_terminal(),
            lines: None,
            shown: None,
        }
    }

    /// Shows the time since the start, and memory in bytes.
    pub(super) fn show(&mut self, now: Duration, memory: u64, peak: u64) {
        if !self.is_on || self.shown.is_some_and(|shown| now < shown + EVERY) {
            return;
        }
        self.shown = Some(now);
        let Some(lines) = lines().filter(|_| is_in_foreground()) else {
            return;
        };
        if self.lines != Some(lines) {
            // The line feed scrolls, so that the cursor stands above the last line.
            write(&format!("\n\x1b[A\x1b7\x1b[1;{}r\x1b8", lines - 1));
            self.lines = Some(lines);
        }
        let (memory, peak) = (units::bytes(memory), units::bytes(peak));
        let seconds = now.as_secs_f64();
        write(&format!(
            "\x1b7\x1b[{lines};1H\x1b[2K\x1b[2m{seconds:.1} s  \x1b[22m{memory}\x1b[2m  peak \
             \x1b[22m{peak}\x1b8"
        ));
    }

    /// Releases the line.
    pub(super) fn clear(&mut self) {
        if let Some(lines) = self.lines.take() {
            write(&format!("\x1b7\x1b[r\x1b[{lines};1H\x1b[2K\x1b8"));
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}

fn lines() -> Option<u16> {
    let (_, Height(lines)) = terminal_size_of(stderr())?;
    (lines >= FEWEST).then_some(lines)
}

/// Whether this process may write to the terminal: a background job must not.
fn is_in_foreground() -> bool {
    tcgetpgrp(stderr()).is_ok_and(|foreground| foreground == getpgrp())
}

fn write(text: &str) {
    // A closed terminal is the program's concern.
    let _ = stderr().lock().write_all(text.as_bytes());
}
