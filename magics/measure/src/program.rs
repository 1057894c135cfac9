//! Ordinary programs, which no session runs: their functions with `#[profile]` are counted from the
//! first call to the end of the process.

use memit_measurement::LinesMeasurement;

use crate::lines::counting;

/// Has `end` called when the process ends: by `exit`, or by the end or a panic of `main`. Not if it
/// is aborted, or ended by a signal.
pub fn at_exit(end: extern "C" fn()) {
    // SAFETY: a function without preconditions. If there is no room for another, it is not called.
    unsafe { libc::atexit(end) };
}

/// What the functions have counted; `None` if none was called. To be asked for once, at the end.
pub fn counted() -> Option<LinesMeasurement> {
    counting::end_program()
}

/// A linker that goes through libraries once meets the hooks before anyone has called `malloc`.
#[cfg(heap_hooks)]
#[used]
static HEAP_HOOKS: fn() -> [(usize, usize); 5] = crate::heap::replaced;

/// As above.
#[cfg(heap_hooks)]
#[used]
static THREAD_HOOK: crate::threads::Create = crate::threads::pthread_create;
