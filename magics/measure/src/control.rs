//! What the supervisor and the session process know of each other at every moment.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use crate::shared::Shared;

/// A page that both processes see.
pub(crate) struct Control {
    /// Process group of the measured run, or one of the two constants below.
    measuring: Shared<AtomicI32>,
    /// Set by an interrupt, cleared when the next cell begins.
    interrupted: Shared<AtomicBool>,
}

const NOTHING: i32 = 0;
const UNDERWAY: i32 = -1;

/// What an interrupt can do about the code that runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measuring {
    /// No measured run: an ordinary cell, or nothing.
    Nothing,
    /// A measurement that looks at the interrupt flag by itself: it runs in place, or is between
    /// two forks.
    Underway,
    /// A run in a fork that leads this process group.
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
