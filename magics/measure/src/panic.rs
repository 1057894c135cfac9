//! Panics of user code.
//!
//! A cell's code is told by the panic hook of its own `libstd`, which each session sets first
//! of all. Whether somebody catches a panic of the main thread is only known later, so it is
//! kept, by the supervisor or here during a measurement: an uncaught one becomes the error, a
//! caught one is printed as Rust prints it.

use std::io::Write;
use std::sync::Mutex;

use memit_measurement::Panic;

static PENDING: Mutex<Option<Panic>> = Mutex::new(None);

/// Keeps a panic of the main thread; prints the one that was kept before, for it was caught.
pub(crate) fn keep(panic: Panic) {
    if let Some(caught) = replace(Some(panic)) {
        print(&caught);
    }
}

/// Prints the panic that is kept: it was caught.
pub(crate) fn flush() {
    if let Some(caught) = take() {
        print(&caught);
    }
}

/// The last panic of the main thread that has not been printed.
pub(crate) fn take() -> Option<Panic> {
    replace(None)
}

/// Prints it as `libstd` would have.
pub(crate) fn print(panic: &Panic) {
    let _ = std::io::stderr().write_all(text(panic).as_bytes());
}

/// What `libstd` would have printed.
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
    // SAFETY: two system calls without arguments.
    unsafe { libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()) }
}

/// Elsewhere every panic counts as the main thread's.
#[cfg(not(target_os = "linux"))]
pub(crate) fn on_main_thread() -> bool {
    true
}
