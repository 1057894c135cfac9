//! What is the same around every measured snippet.
//!
//! A crate that measured cells are compiled against has this as its module `harness`; it is
//! compiled once a session, so that a cell is left with little more than the snippet. The functions
//! without a body are the runtime's, which the session process exports.

use std::fmt::Debug;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

unsafe extern "C" {
    fn memit_measure_memory(
        repeat: u32,
        timeout_ns: u64,
        interval_ns: u64,
        children: bool,
        isolated: bool,
        call: unsafe extern "C" fn(*mut u8) -> u32,
        data: *mut u8,
    );
    fn memit_measure_time(
        loops: u64,
        repeat: u32,
        cpu_clock: bool,
        fresh: bool,
        isolated: bool,
        call: unsafe extern "C" fn(*mut u8) -> u32,
        data: *mut u8,
    );
    fn memit_measure_lines(
        charge: u32,
        backend: u32,
        children: bool,
        limit: u64,
        isolated: bool,
        call: unsafe extern "C" fn(*mut u8) -> u32,
        data: *mut u8,
    );
    fn memit_measure_timeline(
        interval_ns: u64,
        children: bool,
        isolated: bool,
        call: unsafe extern "C" fn(*mut u8) -> u32,
        data: *mut u8,
    );
    safe fn memit_keep_timeline(interval_ns: u64, children: bool);
    fn memit_returned(error: *const u8, length: usize);
    safe fn memit_leave(code: u32);
    pub safe fn memit_begin();
    pub safe fn memit_peak();
    pub safe fn memit_dropped();
    pub safe fn memit_next_run() -> u64;
    pub safe fn memit_start_clock();
    pub safe fn memit_stop_clock();
}

/// What `?` in a snippet makes of an error; the runtime knows it.
pub struct Returned;

impl<E: Debug> From<E> for Returned {
    fn from(error: E) -> Self {
        told(&error)
    }
}

fn told(error: &dyn Debug) -> Returned {
    let text = format!("{error:?}");
    // SAFETY: the pair describes the text, which is read at once.
    unsafe { memit_returned(text.as_ptr(), text.len()) };
    Returned
}

/// How a snippet ended, for the runtime.
const RETURNED: u32 = 1;
const FAILED: u32 = 2;
const PANICKED: u32 = 3;

/// Ends a fork before it would drop its copies of the session's variables, however the snippet
/// ends: at its end, by `?`, or by a panic.
pub struct Guard {
    finished: bool,
}

impl Guard {
    #[inline(never)]
    pub fn new() -> Self {
        Self { finished: false }
    }

    /// The snippet came to its end.
    #[inline(never)]
    pub fn finish(&mut self) {
        self.finished = true;
    }
}

impl Drop for Guard {
    #[inline(never)]
    fn drop(&mut self) {
        flush();
        memit_leave(match self.finished {
            _ if std::thread::panicking() => PANICKED,
            true => RETURNED,
            false => FAILED,
        });
    }
}

/// Hands on what this `libstd` holds back of standard output.
#[inline(never)]
pub fn flush() {
    let _ = std::io::stdout().flush();
}

type Body<'a> = dyn FnMut() -> Result<(), Returned> + 'a;

/// Measures the memory of `body`.
#[inline(never)]
pub fn memory(
    repeat: u32,
    timeout_ns: u64,
    interval_ns: u64,
    children: bool,
    isolated: bool,
    mut body: &mut Body<'_>,
) {
    let data = (&raw mut body).cast();
    // SAFETY: `call` gets what it expects, and `body` outlives the measurement.
    unsafe {
        memit_measure_memory(
            repeat,
            timeout_ns,
            interval_ns,
            children,
            isolated,
            call,
            data,
        )
    };
}

/// Measures the time of `body`, which asks for its runs by `memit_next_run`.
#[inline(never)]
pub fn time(
    loops: u64,
    repeat: u32,
    cpu_clock: bool,
    fresh: bool,
    isolated: bool,
    mut body: &mut Body<'_>,
) {
    let data = (&raw mut body).cast();
    // SAFETY: `call` gets what it expects, and `body` outlives the measurement.
    unsafe { memit_measure_time(loops, repeat, cpu_clock, fresh, isolated, call, data) };
}

/// Measures the lines of profiled functions while `body` runs.
#[inline(never)]
pub fn lines(
    charge: u32,
    backend: u32,
    children: bool,
    limit: u64,
    isolated: bool,
    mut body: &mut Body<'_>,
) {
    let data = (&raw mut body).cast();
    // SAFETY: `call` gets what it expects, and `body` outlives the measurement.
    unsafe { memit_measure_lines(charge, backend, children, limit, isolated, call, data) };
}

/// Watches the memory of `body` over time.
#[inline(never)]
pub fn timeline(interval_ns: u64, children: bool, isolated: bool, mut body: &mut Body<'_>) {
    let data = (&raw mut body).cast();
    // SAFETY: `call` gets what it expects, and `body` outlives the measurement.
    unsafe { memit_measure_timeline(interval_ns, children, isolated, call, data) };
}

/// Watches the memory of the cell from here to its end.
#[inline(never)]
pub fn timeline_of_cell(interval_ns: u64, children: bool) {
    memit_keep_timeline(interval_ns, children);
}

/// # Safety
///
/// `body` must point to a `&mut Body` that nothing else uses meanwhile.
unsafe extern "C" fn call(body: *mut u8) -> u32 {
    // SAFETY: the caller's contract.
    let body = unsafe { &mut *body.cast::<&mut Body<'_>>() };
    match catch_unwind(AssertUnwindSafe(|| body())) {
        Ok(Ok(())) => RETURNED,
        Ok(Err(Returned)) => FAILED,
        Err(_) => PANICKED,
    }
}

/// Gives the statements a stack frame of their own: a large one is touched as a whole on entry,
/// which in a common frame would be before the measurement begins.
#[inline(never)]
pub fn apart<T>(body: impl FnOnce() -> Result<T, Returned>) -> Result<T, Returned> {
    body()
}
