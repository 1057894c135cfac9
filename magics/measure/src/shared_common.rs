//! The page of common counts, shared between a run and the process that started the run.

use std::io;

use memit_session::lines::counters::Common;

use crate::common::COMMON;
use crate::shared_pages::SharedPages;

/// The counts of a run, which the process that started the run can read.
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

    /// Shares the counts of this process. Call this in the run.
    pub(crate) fn share(&self) {
        let address = std::ptr::from_ref(&COMMON).addr();
        // SAFETY: `Common` is as large as its alignment, a page, and consists of atomics. The caller
        // is the only thread of a run that has not begun.
        unsafe { self.pages.replace(address, size_of::<Common>(), 0) };
    }

    /// The counts of the run; zeros if the system's pages are too large to share them.
    pub(crate) fn counts(&self) -> &Common {
        // SAFETY: `new` made pages that are as large as a `Common`, which consists of atomics, for
        // which all zero bits are a value and which other processes may change.
        unsafe { &*self.pages.words().as_ptr().cast() }
    }

    /// The counts of the run in progress; `None` if the system's pages are too large to share them.
    pub(crate) fn live(&self) -> Option<&Common> {
        SharedPages::can_replace().then(|| self.counts())
    }
}
