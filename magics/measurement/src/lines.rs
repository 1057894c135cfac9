//! What `%mprun`, `%lprun` and `#[profile]` measure.

use memit_lines::{Figures, Kind};
use memit_session::abi::Backend;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// What was counted in the lines of profiled functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinesMeasurement {
    /// Functions that have run, in the order in which they ran first.
    pub functions: Vec<FunctionLines>,
    /// What the figures are.
    pub kind: Kind,
    /// Wall-clock time of the run in nanoseconds, as far as it came.
    pub wall_ns: u64,
    /// Whether the run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Whether more than one thread ran during the run.
    pub threaded: bool,
    /// How the run failed, if it did; the figures are those up to then.
    pub failure: Option<Failure>,
}

/// A function and its counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionLines {
    /// As the instrumenter calls it.
    pub name: String,
    /// The file that the compiler knows it by.
    pub file: String,
    /// Its first line in that file, from 1.
    pub first: u32,
    /// Which memory its lines are charged with.
    pub backend: Backend,
    /// How often it was called.
    pub calls: u64,
    /// How many profiled functions were running when it was called last: of those that are
    /// running, the one with most is the innermost.
    pub depth: u64,
    /// The line that was running when the run ended; `None` if none was.
    pub running: Option<u32>,
    /// Lines with figures, in no order.
    pub lines: Vec<LineFigures>,
}

impl FunctionLines {
    /// The figures of a line of its file; `None` if nothing of its own runs there.
    pub fn figures_at(&self, line: u32) -> Option<Figures> {
        let counted = self.lines.iter().find(|counted| counted.line == line)?;
        let mut figures = counted.figures;
        if counted.ends {
            // That a block ends is nothing that runs.
            figures.hits = 0;
        }
        Some(figures)
    }
}

/// The figures of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFigures {
    /// Its number in the file, from 1.
    pub line: u32,
    /// Nothing but the end of a block is there.
    pub ends: bool,
    /// What was counted.
    pub figures: Figures,
}
