//! The source of profiled functions.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{Phase, report};

/// A function as it was written. The attribute makes one for each.
#[derive(Debug)]
pub struct Source {
    /// With the type or module that it is of.
    pub(crate) name: &'static str,
    /// The file in which it stands.
    pub(crate) place: &'static str,
    /// The file and the first line by which its counters know it.
    pub(crate) file: &'static str,
    pub(crate) first: u32,
    pub(crate) lines: &'static [&'static str],
    /// Decimals of the sizes in its table.
    pub(crate) precision: Option<usize>,
    /// The one that was called before this was; empty until this is called.
    before: OnceLock<Option<&'static Source>>,
}

/// The function that was called last of those that have been called. A chain needs no memory,
/// which would count as that of the line that calls.
static LAST: Mutex<Option<&'static Source>> = Mutex::new(None);

impl Source {
    /// See the fields.
    pub const fn new(
        name: &'static str,
        place: &'static str,
        file: &'static str,
        first: u32,
        lines: &'static [&'static str],
        precision: Option<usize>,
    ) -> Self {
        Self {
            name,
            place,
            file,
            first,
            lines,
            precision,
            before: OnceLock::new(),
        }
    }

    /// The function has been called, and runs until the value is dropped.
    #[inline]
    pub fn enter(&'static self) -> Phase {
        if self.before.get().is_none() {
            self.meet();
        }
        crate::phase(self.name)
    }

    #[cold]
    fn meet(&'static self) {
        report::expect();
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if self.before.set(*last).is_ok() {
            *last = Some(self);
        }
    }
}

/// The functions that have been called.
pub(crate) fn all() -> impl Iterator<Item = &'static Source> {
    let last = *LAST.lock().unwrap_or_else(PoisonError::into_inner);
    std::iter::successors(last, |source| source.before.get().copied().flatten())
}
