//! Ordinary programs, outside a session: functions with `#[profile]` count from their first call to
//! the end of the process.

use memit_measurement::LinesMeasurement;

use crate::lines::counting;

/// Registers `end` to be called when the process exits: by `exit`, or at the end or a panic of
/// `main`. An abort or a signal does not call `end`.
pub fn at_exit(end: extern "C" fn()) {
    // SAFETY: `end` is a function without preconditions. If the system has no room for `end`, it
    // never calls `end`.
    unsafe { libc::atexit(end) };
}

/// The counts of the functions; `None` if none was called. Call this once, at the end.
pub fn counted() -> Option<LinesMeasurement> {
    counting::end_program()
}

/// Refers to the hooks for linkers that go through the libraries once: they meet the hooks before
/// any call of `malloc`.
#[cfg(heap_hooks)]
#[used]
static HEAP_HOOKS: fn() -> [(usize, usize); 5] = crate::heap::replaced;

/// Like [`HEAP_HOOKS`].
#[cfg(heap_hooks)]
#[used]
static THREAD_HOOK: crate::threads::Create = crate::threads::pthread_create;
