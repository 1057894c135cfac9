//! Measurements of `%mprun`, `%lprun` and `#[profile]`.

use memit_lines::{FunctionLines, Kind, LineFigures};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// The counts of the lines of profiled functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinesMeasurement {
    /// Functions that have run, in the order of their first runs.
    pub functions: Vec<FunctionLines>,
    /// The kind of the figures.
    pub kind: Kind,
    /// Wall-clock time of the run in nanoseconds, up to its failure if it failed. Of several runs,
    /// the shortest.
    pub wall_ns: u64,
    /// Whether the run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Whether more than one thread ran during the run.
    pub threaded: bool,
    /// Threads that the statements had started and that still ran at the end.
    pub outlasting: u32,
    /// How the run failed, if it did. The figures end at the failure.
    pub failure: Option<Failure>,
    /// The time of lines, with the cost of probes; `None` if lines have no time.
    pub timing: Option<Timing>,
}

/// The part of a run that probes may take without being subtracted.
const NEGLIGIBLE: f64 = 0.05;
/// Begin and end of a body take as long as this many probes.
const BODY: f64 = 4.0;

impl LinesMeasurement {
    /// Whether the run must be repeated without probes to know what the probes take.
    pub fn needs_plain_run(&self) -> bool {
        let is_comparable = self.isolated && self.failure.is_none();
        is_comparable
            && self.timing.as_ref().is_some_and(|timing| {
                let counts_on_clock = timing.probes > 0 && !timing.shared;
                counts_on_clock
                    || (timing.probes == 0 && !self.is_negligible(self.probes_at_most(timing)))
            })
    }

    /// Whether this time in nanoseconds is negligible beside the run.
    pub fn is_negligible(&self, time: f64) -> bool {
        time <= NEGLIGIBLE * self.wall_ns as f64
    }

    /// The most that the probes of a sampled run may have taken, in nanoseconds.
    pub fn probes_at_most(&self, timing: &Timing) -> f64 {
        let probes: f64 = self.functions.iter().flat_map(probes_of_lines).sum();
        probes * timing.probe_ns
    }
}

/// The number of probes that each line of a function has passed in a run. Bodies count for the
/// lines of the function.
pub fn probes_of_lines(function: &FunctionLines) -> impl Iterator<Item = f64> {
    let hits = |line: &LineFigures| line.figures.hits as f64;
    let sum: f64 = function.lines.iter().map(hits).sum();
    let of_body = BODY * function.calls as f64 / sum.max(1.0);
    function
        .lines
        .iter()
        .map(move |line| hits(line) * (1.0 + of_body))
}

/// The time of lines, from which the cost of probes must be subtracted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// What a probe costs in nanoseconds if nothing else takes time: an upper bound, as other work
    /// hides a part.
    pub probe_ns: f64,
    /// Number of probes that read the clock; 0 if the time is sampled.
    pub probes: u64,
    /// Whether more than one thread has run a profiled function.
    pub shared: bool,
    /// Whether all functions that ran can also run without probes.
    pub switched: bool,
    /// Where sampling found lines running, in all runs together.
    pub looks: Vec<Look>,
}

/// The time for which a line was found running.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The line.
    pub at: RunningAt,
    /// The innermost line of the same thread: the line itself, or one of a function that it calls.
    pub innermost: RunningAt,
    /// The time, as a part of the time of all runs. Threads that run the same function share the time.
    pub part: f64,
}

/// A line of a function, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunningAt {
    /// Index of the function.
    pub function: usize,
    /// Index of the line in [`FunctionLines::lines`].
    pub line: usize,
}
