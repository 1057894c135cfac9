//! The source of profiled functions.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A profiled function as the user wrote it. The attribute makes a static for each.
#[derive(Debug)]
pub struct Source {
    /// The name, with the type or module before it: `Julia::step`.
    pub(crate) name: &'static str,
    /// The path of the source file, as it is shown.
    pub(crate) place: &'static str,
    /// The source file as the function's counters name it (`file!()`).
    pub(crate) file: &'static str,
    /// The first line in that file, from 1.
    pub(crate) first: u32,
    /// Every line from the signature to the closing brace.
    pub(crate) lines: &'static [&'static str],
    /// Decimals of the sizes in the function's table.
    pub(crate) precision: Option<usize>,
    /// The next in the list of called functions; empty until this function is called.
    before: OnceLock<Option<&'static Source>>,
}

/// Head of the list of called functions, newest first. An intrusive list allocates nothing, so
/// nothing is charged to the calling line.
static LAST: Mutex<Option<&'static Source>> = Mutex::new(None);

impl Source {
    /// The arguments are the fields of the same names.
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

    /// Whether the function is in the list of [`all`].
    #[inline]
    pub(crate) fn was_called(&self) -> bool {
        self.before.get().is_some()
    }
}

/// Adds a function that is called for the first time.
pub(crate) fn add(source: &'static Source) {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if source.before.set(*last).is_ok() {
        *last = Some(source);
    }
}

/// The functions that were called, newest first.
pub(crate) fn all() -> impl Iterator<Item = &'static Source> {
    let last = *LAST.lock().unwrap_or_else(PoisonError::into_inner);
    std::iter::successors(last, |source| source.before.get().copied().flatten())
}
