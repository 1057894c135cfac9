//! State that the supervisor and the session process share at every moment.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};

use crate::shared::Shared;

/// A page that both processes see.
pub struct Control {
    /// The process group of the measured run, or one of the two constants below.
    interruptible: Shared<AtomicI32>,
    /// Set by an interrupt, cleared when the next cell begins.
    interrupted: Shared<AtomicBool>,
}

const CELL: i32 = 0;
const IN_PLACE: i32 = -1;

/// How an interrupt can reach the code that runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruptible {
    /// No measurement is under way: an ordinary cell runs, or nothing does.
    Cell,
    /// A measurement is under way that reads the interrupt flag itself: it runs in place, or is
    /// between two forks.
    InPlace,
    /// A run in a fork that leads this process group.
    Fork(i32),
}

impl Control {
    /// A page for a supervisor and the session processes that it forks.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interruptible: Shared::new(1)?,
            interrupted: Shared::new(1)?,
        })
    }

    /// How an interrupt can reach the running code now.
    pub fn interruptible(&self) -> Interruptible {
        match self.interruptible[0].load(SeqCst) {
            CELL => Interruptible::Cell,
            IN_PLACE => Interruptible::InPlace,
            group => Interruptible::Fork(group),
        }
    }

    /// Sets how an interrupt can reach the running code from now on.
    pub fn set_interruptible(&self, what: Interruptible) {
        let word = match what {
            Interruptible::Cell => CELL,
            Interruptible::InPlace => IN_PLACE,
            Interruptible::Fork(group) => group,
        };
        self.interruptible[0].store(word, SeqCst);
    }

    /// Whether the running cell has been interrupted.
    pub fn interrupted(&self) -> bool {
        self.interrupted[0].load(SeqCst)
    }

    /// Marks the running cell as interrupted, or clears the mark of an earlier cell.
    pub fn set_interrupted(&self, value: bool) {
        self.interrupted[0].store(value, SeqCst);
    }
}
