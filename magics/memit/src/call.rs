//! What happens when a profiled function is called.

use crate::source::{self, Source};
use crate::{Phase, mprof, phase, report};

impl Source {
    /// Reports a call of the function. The call lasts until the returned value is dropped.
    #[inline]
    pub fn enter(&'static self) -> Phase {
        if !self.was_called() {
            meet(self);
        }
        phase::phase(self.name)
    }
}

/// The first call of a function, before anything in the function is counted.
#[cold]
fn meet(source: &'static Source) {
    report::expect();
    mprof::prepare();
    source::add(source);
}
