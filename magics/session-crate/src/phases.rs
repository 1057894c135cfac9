//! What cells find as the crate `memit`, without asking for it: of the published crate of that name
//! all that a cell can use.
//!
//! This is compiled into the crate that every cell is compiled against. The functions without a body
//! are the runtime's.

use std::borrow::Cow;

unsafe extern "C" {
    fn memit_begin_phase(label: *const u8, length: usize) -> u64;
    safe fn memit_end_phase(phase: u64);
    fn memit_timestamp(label: *const u8, length: usize);
    safe fn memit_resident() -> u64;
}

/// A phase of the program: from [`phase`] until this is dropped.
#[derive(Debug)]
#[must_use = "a phase ends when this is dropped"]
pub struct Phase {
    /// What the runtime knows it by; 0 if nothing is recorded.
    number: u64,
}

/// Begins a phase, which lasts until the value is dropped. Phases may be within each other, overlap,
/// and go from one thread to another. `%mprof` shows them.
#[inline(never)]
pub fn phase(label: impl Into<Cow<'static, str>>) -> Phase {
    let label = label.into();
    // SAFETY: the pair describes the label, which is read at once.
    let number = unsafe { memit_begin_phase(label.as_ptr(), label.len()) };
    Phase { number }
}

impl Drop for Phase {
    fn drop(&mut self) {
        if self.number != 0 {
            memit_end_phase(self.number);
        }
    }
}

/// Marks a moment: a [`phase`] that ends at once.
#[macro_export]
macro_rules! timestamp {
    ($label:expr $(,)?) => {
        $crate::mark_moment($label)
    };
}

/// What `timestamp!` calls.
#[doc(hidden)]
#[inline(never)]
pub fn mark_moment(label: impl AsRef<str>) {
    let label = label.as_ref();
    // SAFETY: the pair describes the label, which is read at once.
    unsafe { memit_timestamp(label.as_ptr(), label.len()) };
}

/// Resident set size of this process in bytes: the memory that it has at the moment, code and
/// libraries included. `None` where the system does not tell.
pub fn memory_usage() -> Option<u64> {
    Some(memit_resident()).filter(|bytes| *bytes > 0)
}
