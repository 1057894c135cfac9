//! The first cell of every session process.

use std::io::Write as _;
use std::panic::{self, PanicHookInfo};

use crate::abi::entry_points::{memit_panicked, memit_register};

/// Hands panics to the session process instead of printing them, and lets the session process flush
/// standard output, which the `libstd` of the cells may buffer.
pub fn start_session() {
    memit_register(flush);
    panic::set_hook(Box::new(report));
    #[cfg(feature = "question_mark")]
    crate::no_memory::say_in_one_line();
}

extern "C" fn flush() {
    let _ = std::io::stdout().flush();
}

fn report(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("the payload is not text");
    let (file, line, column) = panic
        .location()
        .map_or(("", 0, 0), |at| (at.file(), at.line(), at.column()));
    if !memit_panicked(message.into(), file.into(), line, column) {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("<unnamed>");
        eprintln!("\nthread '{thread}' panicked at {file}:{line}:{column}:\n{message}");
    }
}
