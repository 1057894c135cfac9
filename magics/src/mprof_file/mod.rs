//! Memory over time, and the file it is kept in.
//!
//! The file is that of `memory_profiler`'s `mprof`: text, a fact a line, sizes in MiB and times in
//! seconds since 1970.
//!
//! ```text
//! CMDLINE python sort.py
//! MEM 12.500000 1700000000.100000          memory of the program
//! MEM 162.312500 1700000000.150000 peak    the same, between two samples
//! CHLD 4711 8.250000 1700000000.100000     memory of a child process, by its number
//! FUNC sort 12.5000 1700000000.1000 80.0000 1700000000.9000 0
//!                                          a function: memory and time when it was entered and
//!                                          left, and how many others it was called in
//! ```
//!
//! `peak` is ours. Other readers look at the first two numbers and take it for a sample.

mod read;
mod timeline;
mod write;

pub use read::ReadError;
pub use timeline::mprof_file;
pub use write::{child, command, function, memory};

use crate::stats::highest_by;

/// What a file holds. Samples are in order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// The command line of the program.
    pub command: Option<String>,
    /// The program, and its descendants where they were asked for.
    pub samples: Vec<Sample>,
    /// Its live heap, where that is known; files have no place for it.
    pub heap: Vec<Sample>,
    /// Its descendants, each on its own.
    pub children: Vec<Child>,
    /// Functions and phases, in the order in which they were written.
    pub spans: Vec<Span>,
}

/// Memory at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// In seconds since 1970, or since the start of a run that was not read from a file.
    pub time: f64,
    /// In bytes.
    pub memory: u64,
    /// Whether it is the system's mark of a peak that was between two samples.
    pub is_peak: bool,
}

/// A descendant of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The number of its process.
    pub name: String,
    /// Its own memory.
    pub samples: Vec<Sample>,
}

/// One execution of a function, or a phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// As the program calls it.
    pub name: String,
    /// When it was entered.
    pub start: Sample,
    /// When it was left.
    pub end: Sample,
    /// How many others it was in.
    pub level: usize,
    /// The highest memory in it in bytes, where that is known better than from samples.
    pub peak: Option<u64>,
    /// The program ended before it did, which is where it then ends.
    pub is_unfinished: bool,
}

impl Profile {
    /// Samples together with what functions found when they were entered and left, in order of time.
    pub fn curve(&self) -> Vec<Sample> {
        let mut curve = self.samples.clone();
        curve.extend(self.spans.iter().flat_map(|span| [span.start, span.end]));
        curve.sort_by(|one, other| one.time.total_cmp(&other.time));
        curve
    }

    /// The highest sample, the first of equals.
    pub fn peak(&self) -> Option<Sample> {
        highest(&self.samples)
    }

    /// The highest sample while one of the functions of this name was running, or if they were too
    /// short for one, what they found themselves; nothing if there is no such function.
    pub fn peak_in(&self, function: &str) -> Option<u64> {
        let spans = || self.spans.iter().filter(|span| span.name == function);
        let sampled = spans().flat_map(|span| self.samples_within(span));
        let sampled = sampled.map(|sample| sample.memory).max();
        sampled.or_else(|| spans().map(|span| self.peak_within(span)).max())
    }

    /// The highest memory in a span, exact where that is known: else of samples, and what it found
    /// at its beginning and end.
    pub fn peak_within(&self, span: &Span) -> u64 {
        if let Some(peak) = span.peak {
            return peak;
        }
        let samples = self.samples_within(span).iter();
        let ends = [span.start.memory, span.end.memory];
        let all = samples.map(|sample| sample.memory).chain(ends);
        all.max().unwrap_or_default()
    }

    fn samples_within(&self, span: &Span) -> &[Sample] {
        let (start, end) = (span.start.time, span.end.time);
        let from = self.samples.partition_point(|sample| sample.time < start);
        let to = self.samples.partition_point(|sample| sample.time <= end);
        self.samples.get(from..to).unwrap_or_default()
    }
}

impl Child {
    /// Its highest sample, the first of equals.
    pub fn peak(&self) -> Option<Sample> {
        highest(&self.samples)
    }
}

impl Span {
    /// How long it took, in seconds.
    pub fn duration(&self) -> f64 {
        self.end.time - self.start.time
    }
}

fn highest(samples: &[Sample]) -> Option<Sample> {
    highest_by(samples.iter().copied(), |sample| sample.memory)
}
