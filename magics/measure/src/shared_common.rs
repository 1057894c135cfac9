//! The page of common counts, shared between a run and the process that started the run.

use std::io;

use memit_session::lines::counters::Common;

use crate::common::COMMON;
use crate::shared_pages::SharedPages;

/// The counts of a run, for the process that started it.
pub(crate) struct SharedCommon {
    pages: SharedPages,
}

impl SharedCommon {
    /// Makes room for the counts of one run.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub(crate) fn new() -> io::Result<Self> {
        let pages = SharedPages::new(size_of::<Common>())?;
        Ok(Self { pages })
    }

    /// Shares the counts of this process. To be called in the run.
    pub(crate) fn share(&self) {
        share(&self.pages);
    }

    /// The counts while the run runs; `None` where they cannot be shared, because the system's pages
    /// are larger.
    pub(crate) fn live(&self) -> Option<&Common> {
        SharedPages::can_replace().then(|| of(&self.pages))
    }
}

/// Shares the counts of this process as the first of `pages`. To be called in the run.
pub(crate) fn share(pages: &SharedPages) {
    pages.replace(std::ptr::from_ref(&COMMON).addr(), size_of::<Common>(), 0);
}

/// The counts at the start of `pages`.
pub(crate) fn of(pages: &SharedPages) -> &Common {
    // SAFETY: the pages are larger than a `Common`, which consists of atomics: zero is a value of
    // each, and other processes may change them.
    unsafe { &*pages.words().as_ptr().cast() }
}
