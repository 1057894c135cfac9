//! The functions around every measured snippet.
//!
//! The code that a magic generates calls these functions, which call the session process.

use std::ffi::c_void;
use std::fmt::Debug;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::entry_points::{memit_leave, memit_measure, memit_measure_cell, memit_returned};
use crate::abi::{Body, Ending, Plan};

pub use crate::abi::entry_points::{
    memit_begin, memit_next_batch, memit_next_run, memit_start_clock, memit_stop_clock,
    memit_value_alive, memit_value_dropped,
};
pub use crate::abi::plan;
pub use crate::batch::{Batch, Pause, idle};

/// The error type of a snippet, into which `?` converts any error. The session process already has
/// the text of the error. `Returned` is not `Debug`, because two implementations of `From` would
/// then convert it into itself.
pub struct Returned;

impl<E: Debug> From<E> for Returned {
    fn from(error: E) -> Self {
        report(&error)
    }
}

fn report(error: &dyn Debug) -> Returned {
    memit_returned(format!("{error:?}").as_str().into());
    Returned
}

/// Ends a run that is a fork before the fork drops its copies of the session's variables, whether
/// the snippet comes to its end, leaves by `?`, or panics.
#[derive(Debug)]
pub struct Guard {
    finished: bool,
}

impl Guard {
    /// Guards the snippet that follows.
    #[inline(never)]
    #[expect(clippy::new_without_default, reason = "a guard has no default")]
    pub fn new() -> Self {
        Self { finished: false }
    }

    /// Notes that the snippet came to its end.
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
            _ if std::thread::panicking() => Ending::Panicked,
            true => Ending::Finished,
            false => Ending::Returned,
        });
    }
}

/// Flushes standard output, which this `libstd` may buffer.
#[inline(never)]
pub fn flush() {
    let _ = std::io::stdout().flush();
}

type Snippet<'a> = dyn FnMut() -> Result<(), Returned> + 'a;

/// A snippet behind a thin pointer.
struct Thin<'a, 'b>(&'a mut Snippet<'b>);

/// Measures `snippet` as `plan` says.
#[inline(never)]
pub fn measure(plan: Plan, snippet: &mut Snippet<'_>) {
    let mut snippet = Thin(snippet);
    // SAFETY: `snippet` outlives the measurement, and nothing else uses it meanwhile.
    unsafe { memit_measure(&plan, snippet.body()) };
}

/// Measures the cell as `plan` says, from this call to the end of the cell.
#[inline(never)]
pub fn measure_cell(plan: Plan) {
    memit_measure_cell(&plan);
}

impl Thin<'_, '_> {
    fn body(&mut self) -> Body {
        Body::new(call, std::ptr::from_mut(self).cast())
    }
}

/// # Safety
///
/// `snippet` must point to a [`Thin`] that nothing else uses meanwhile.
unsafe extern "C" fn call(snippet: *mut c_void) -> Ending {
    // SAFETY: the caller's contract.
    let Thin(snippet) = unsafe { &mut *snippet.cast::<Thin<'_, '_>>() };
    match catch_unwind(AssertUnwindSafe(snippet)) {
        Ok(Ok(())) => Ending::Finished,
        Ok(Err(Returned)) => Ending::Returned,
        Err(_) => Ending::Panicked,
    }
}

/// Gives the statements a stack frame of their own. A function touches the whole of a large frame
/// on entry: in a common frame, that would happen before the measurement begins.
#[inline(never)]
pub fn apart<T>(body: impl FnOnce() -> Result<T, Returned>) -> Result<T, Returned> {
    body()
}
