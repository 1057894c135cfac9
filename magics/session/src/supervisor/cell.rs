//! What the supervisor knows of the cell that runs, or is about to.

use memit_measurement::{Event, Panic, QuestionMark};

use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A second interrupt within this time ends a session process that has no checkpoint.
const INSISTENCE: Duration = Duration::from_secs(5);

/// A cell as the kernel announces it, before evcxr has compiled it.
#[derive(Default)]
pub(super) struct Cell {
    pub(super) number: u64,
    /// The next run changes nothing.
    pub(super) passing: bool,
    /// The next run is the prelude.
    pub(super) prelude: bool,
    /// The supervisor has told of an error of its own.
    pub(super) has_trouble: bool,
    interrupted: Option<Instant>,
}

impl Cell {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// Notes an interrupt. True if the user insists: the last interrupt was only a moment ago.
    pub(super) fn interrupt(&mut self) -> bool {
        let before = self.interrupted.replace(Instant::now());
        before.is_some_and(|before| before.elapsed() < INSISTENCE)
    }
}

/// A library of evcxr's that runs.
pub(super) struct Run {
    /// The run changes nothing of the session.
    pub(super) passing: bool,
    /// The process that is the checkpoint of the run.
    pub(super) checkpoint: Option<u32>,
    /// Our descendants before the run.
    pub(super) before: HashSet<u32>,
    /// The last panic that the session process has reported.
    pub(super) panic: Option<Panic>,
    /// The last panic ended the cell.
    pub(super) panicked: bool,
    /// The `?` that ended the cell.
    pub(super) failed: Option<QuestionMark>,
    /// Events for the kernel that come after all output of the cell.
    pub(super) afterwards: Vec<Event>,
}
