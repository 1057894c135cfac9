//! The functions around every measured snippet.
//!
//! The code that a magic generates calls these functions, which call the session process.

use std::ffi::c_void;
use std::fmt::Debug;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::entry_points::{
    memit_cell_measured, memit_counts_lines, memit_leave, memit_measure, memit_measure_cell,
    memit_returned,
};
use crate::abi::{Body, Ending, Plan};
use crate::lines::switch_probes;

pub use crate::abi::entry_points::{
    memit_begin, memit_next_batch, memit_next_run, memit_start_clock, memit_stop_clock,
    memit_value_alive, memit_value_dropped,
};
pub use crate::abi::plan;
pub use crate::batch::{Batch, Pause, idle};

/// How a snippet ends. A `?` in the snippet converts what it meets into this.
#[cfg(feature = "question_mark")]
pub type Finished = crate::question_mark::SnippetEnd;
/// How a snippet ends. A `?` in the snippet converts any error into this.
#[cfg(not(feature = "question_mark"))]
pub type Finished = Result<(), Returned>;

/// The error of a snippet that a `?` has left. The session process already has the text of what the `?` met.
/// `Returned` is not `Debug`, because two implementations of `From` would then convert it into itself.
pub struct Returned;

impl<E: Debug> From<E> for Returned {
    fn from(error: E) -> Self {
        Self::with(&format!("{error:?}"))
    }
}

impl Returned {
    pub(crate) fn with(text: &str) -> Self {
        memit_returned(text.into());
        Self
    }
}

/// The end of a snippet that nothing has left.
pub fn finished() -> Finished {
    end(Ok(()))
}

/// The end of a loop that a `break` has left.
pub fn left_by_break() -> Finished {
    end(Err(Returned::with("`break` left the timed loop")))
}

#[allow(
    clippy::useless_conversion,
    reason = "both types are the same without the feature"
)]
pub(crate) fn end(end: Result<(), Returned>) -> Finished {
    end.into()
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

/// The measured statements.
pub type Snippet<'a> = dyn FnMut() -> Finished + 'a;

/// A snippet behind a thin pointer.
pub(crate) struct Thin<'a, 'b>(&'a mut Snippet<'b>);

/// Measures `snippet` as `plan` says.
#[inline(never)]
pub fn measure(plan: Plan, snippet: &mut Snippet<'_>) {
    let mut snippet = Thin::new(snippet);
    // SAFETY: `snippet` outlives the measurement, and nothing else uses it meanwhile.
    unsafe { memit_measure(&plan, snippet.body()) };
}

/// Measures the cell as `plan` says, from this call to the end of the cell.
#[inline(never)]
pub fn measure_cell(plan: Plan) {
    memit_measure_cell(&plan);
}

/// Ends the measurement of the cell: what follows is not measured.
#[inline(never)]
pub fn cell_measured() {
    memit_cell_measured();
}

impl<'a, 'b> Thin<'a, 'b> {
    pub(crate) fn new(snippet: &'a mut Snippet<'b>) -> Self {
        Self(snippet)
    }

    pub(crate) fn body(&mut self) -> Body {
        Body::new(call, std::ptr::from_mut(self).cast())
    }
}

/// # Safety
///
/// `snippet` must point to a [`Thin`] that nothing else uses meanwhile.
unsafe extern "C" fn call(snippet: *mut c_void) -> Ending {
    // SAFETY: the caller's contract.
    let Thin(snippet) = unsafe { &mut *snippet.cast::<Thin<'_, '_>>() };
    #[allow(
        clippy::useless_conversion,
        reason = "both types are the same without the feature"
    )]
    let ended = {
        switch_probes(memit_counts_lines());
        let ended = catch_unwind(AssertUnwindSafe(snippet));
        switch_probes(false);
        ended.map(Result::from)
    };
    match ended {
        Ok(Ok(())) => Ending::Finished,
        Ok(Err(Returned)) => Ending::Returned,
        Err(_) => Ending::Panicked,
    }
}

/// Gives the statements a stack frame of their own. A function touches the whole of a large frame
/// on entry: in a common frame, that would happen before the measurement begins.
#[inline(never)]
pub fn apart(body: impl FnOnce() -> Finished) -> Finished {
    body()
}

/// Notices if the value of the statements stands for work that has not been done.
#[cfg(feature = "question_mark")]
pub use crate::lazy::look_at_value;

/// Without unstable features, no value is noticed.
#[cfg(not(feature = "question_mark"))]
#[inline(always)]
pub fn look_at_value<T>(_: &T) {}
