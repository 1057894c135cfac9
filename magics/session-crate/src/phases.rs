//! The part of the published crate `memit` that a cell can use. A cell finds it as the crate
//! `memit` without asking for a dependency.

use std::borrow::Cow;

use crate::abi::PhaseNumber;
use crate::abi::entry_points::{
    memit_begin_phase, memit_end_phase, memit_resident, memit_timestamp,
};

/// A phase of the program, from [`phase`] until the value is dropped.
#[derive(Debug)]
#[must_use = "a phase ends when its value is dropped"]
pub struct Phase {
    number: PhaseNumber,
}

/// Begins a phase, which lasts until the value is dropped. Phases may nest, overlap, and move from
/// one thread to another. `%mprof` shows them.
#[inline(never)]
pub fn phase(label: impl Into<Cow<'static, str>>) -> Phase {
    let label = label.into();
    Phase {
        number: memit_begin_phase(label.as_ref().into()),
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        if self.number != PhaseNumber::NONE {
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

/// The function that `timestamp!` calls.
#[doc(hidden)]
#[inline(never)]
pub fn mark_moment(label: impl AsRef<str>) {
    memit_timestamp(label.as_ref().into());
}

/// Resident set size of this process in bytes: the memory that it has at the moment, code and
/// libraries included. `None` where the system does not tell.
pub fn memory_usage() -> Option<u64> {
    Some(memit_resident()).filter(|bytes| *bytes > 0)
}
