//! Panics of user code.
//!
//! Each session begins by setting a panic hook in the `libstd` of its cells, which reports panics to
//! this module. Whether somebody catches a panic of the main thread is only known later. Until then
//! the supervisor keeps the panic, or, during a measurement, this module. An uncaught panic becomes
//! the error of the cell; a caught panic is printed as Rust prints it.

use std::io::Write;
use std::sync::Mutex;

use memit_measurement::Panic;

static PENDING: Mutex<Option<Panic>> = Mutex::new(None);

/// A longer message is cut.
const MAX_MESSAGE: usize = 1 << 20;

/// The message of a panic or an error, as far as it is sensible to show.
pub(crate) fn shortened(message: &str) -> String {
    let end = message.floor_char_boundary(MAX_MESSAGE);
    let left_out = message.len() - end;
    if left_out == 0 {
        return message.to_owned();
    }
    let mib = left_out.div_ceil(1 << 20);
    format!(
        "{}…\n[{mib} MiB more of the message are not shown]",
        &message[..end]
    )
}

/// Keeps a panic of the main thread. The panic that was kept before has been caught and is printed.
pub(crate) fn keep(panic: Panic) {
    if let Some(caught) = replace(Some(panic)) {
        print(&caught);
    }
}

/// Prints the kept panic, which has been caught.
pub(crate) fn flush() {
    if let Some(caught) = take() {
        print(&caught);
    }
}

/// Takes the kept panic: the last of the main thread that has not been printed.
pub(crate) fn take() -> Option<Panic> {
    replace(None)
}

/// Prints the panic as `libstd` would.
pub(crate) fn print(panic: &Panic) {
    let _ = std::io::stderr().write_all(text(panic).as_bytes());
}

/// The text that `libstd` would print.
pub fn text(panic: &Panic) -> String {
    let Panic {
        message,
        file,
        line,
        column,
    } = panic;
    format!("\nthread 'main' panicked at {file}:{line}:{column}:\n{message}\n")
}

fn replace(panic: Option<Panic>) -> Option<Panic> {
    let mut pending = PENDING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    std::mem::replace(&mut *pending, panic)
}

/// Whether the calling thread is the one that runs cells.
#[cfg(target_os = "linux")]
pub(crate) fn on_main_thread() -> bool {
    rustix::thread::gettid() == rustix::process::getpid()
}

/// Elsewhere every panic counts as the main thread's.
#[cfg(not(target_os = "linux"))]
pub(crate) fn on_main_thread() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "é".repeat(1 << 20) + "x";
        let short = shortened(&long);
        assert_eq!(
            short.len(),
            (1 << 20) + "…\n[2 MiB more of the message are not shown]".len()
        );
        assert!(short.ends_with("é…\n[2 MiB more of the message are not shown]"));
        assert_eq!(shortened("short"), "short");
    }
}
