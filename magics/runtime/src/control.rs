//! A page of flags that the supervisor and the session process share.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use crate::shared::Shared;

/// The shared page.
pub(crate) struct Control {
    /// [`NOTHING`], [`UNDERWAY`] or the process group of a measured run.
    measuring: Shared<AtomicI32>,
    /// An interrupt sets the flag, the beginning of the next cell clears it.
    interrupted: Shared<AtomicBool>,
}

const NOTHING: i32 = 0;
const UNDERWAY: i32 = -1;

/// How an interrupt can stop the code that runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measuring {
    /// There is no measurement: an ordinary cell runs, or nothing.
    Nothing,
    /// A measurement runs in place, or is between two forks: it looks at the flag itself.
    Underway,
    /// A measured run in a fork, which leads this process group.
    Fork(i32),
}

impl Control {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            measuring: Shared::new(1)?,
            interrupted: Shared::new(1)?,
        })
    }

    pub(crate) fn measuring(&self) -> Measuring {
        match self.measuring[0].load(SeqCst) {
            NOTHING => Measuring::Nothing,
            UNDERWAY => Measuring::Underway,
            group => Measuring::Fork(group),
        }
    }

    pub(crate) fn set_measuring(&self, what: Measuring) {
        let word = match what {
            Measuring::Nothing => NOTHING,
            Measuring::Underway => UNDERWAY,
            Measuring::Fork(group) => group,
        };
        self.measuring[0].store(word, SeqCst);
    }

    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted[0].load(SeqCst)
    }

    pub(crate) fn set_interrupted(&self, value: bool) {
        self.interrupted[0].store(value, SeqCst);
    }
}
