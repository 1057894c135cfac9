//! Memory over time, and its file format.
//!
//! [`memit_measurement::mprof_format`] describes the format, and writes its lines.

mod line;
mod read;
mod timeline;

pub use read::{Problem, ReadError, first_sample};
pub use timeline::of_result;

use std::collections::BTreeMap;

use crate::stats::highest_by;

/// The content of a file. Samples are in order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// The command line of the program.
    pub command: Option<String>,
    /// The memory of the program, including its descendants if the recording includes them.
    pub samples: Vec<Sample>,
    /// The live heap of the program, if known. Files do not store it.
    pub heap: Vec<Sample>,
    /// Each descendant on its own.
    pub children: Vec<Child>,
    /// Functions and phases, in the order of the file.
    pub spans: Vec<Span>,
    /// How far the peak of the program may be from the highest sample; `None` if the sample is exact.
    pub at_most: Option<AtMost>,
    /// The lines of the file that were left out.
    pub problems: Vec<Problem>,
}

/// How high a peak may be that no reading has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtMost {
    /// In bytes. If this is the highest sample, the true peak may also be lower.
    Bytes(u64),
    /// Nobody knows.
    Unknown,
}

impl AtMost {
    /// The wider of two bounds.
    fn wider(one: Option<Self>, other: Self) -> Self {
        match (one, other) {
            (None, bound) => bound,
            (Some(Self::Bytes(one)), Self::Bytes(other)) => Self::Bytes(one.max(other)),
            _ => Self::Unknown,
        }
    }
}

/// Memory at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// In seconds since 1970; in a run that was not read from a file, since its start.
    pub time: f64,
    /// In bytes.
    pub memory: u64,
    /// Whether this is the system's high-water mark of a peak between two samples.
    pub is_peak: bool,
}

/// A descendant of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The process ID.
    pub name: String,
    /// The memory of this process alone.
    pub samples: Vec<Sample>,
    /// As [`Profile::at_most`].
    pub at_most: Option<AtMost>,
}

/// One execution of a function, or a phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The name of the function or phase.
    pub name: String,
    /// The memory at the start.
    pub start: Sample,
    /// The memory at the end.
    pub end: Sample,
    /// The number of spans of its thread around it.
    pub level: usize,
    /// The thread of the span: 0 for the first. Files know no threads.
    pub thread: usize,
    /// The exact peak in bytes, if it is known.
    pub peak: Option<u64>,
    /// Whether the program ended first; `end` is then the end of the program.
    pub is_unfinished: bool,
}

impl Profile {
    /// The samples and the memory at the start and end of each span, in order of time.
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

    /// The highest sample during any call of `function`. If all calls were too short for a sample,
    /// the highest memory at their starts and ends. `None` if the profile has no such function.
    pub fn peak_in(&self, function: &str) -> Option<u64> {
        let spans = || self.spans.iter().filter(|span| span.name == function);
        let sampled = spans().flat_map(|span| self.samples_within(span));
        let sampled = sampled.map(|sample| sample.memory).max();
        sampled.or_else(|| spans().map(|span| self.peak_within(span)).max())
    }

    /// The exact peak of a span if it is known; otherwise the highest sample within the span, or
    /// the memory at its start or end.
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
    /// The highest sample, the first of equals.
    pub fn peak(&self) -> Option<Sample> {
        highest(&self.samples)
    }
}

impl Span {
    /// The length in seconds.
    pub fn duration(&self) -> f64 {
        self.end.time - self.start.time
    }
}

/// The lane in which each of the spans is drawn, with the spans around it in the lanes before. Each thread
/// has lanes of its own.
pub(crate) fn lanes(spans: &[Span]) -> Vec<usize> {
    let mut depths: BTreeMap<usize, usize> = BTreeMap::new();
    for span in spans {
        let depth = depths.entry(span.thread).or_default();
        *depth = (*depth).max(span.level.saturating_add(1));
    }
    let mut next = 0_usize;
    let firsts: BTreeMap<usize, usize> = depths
        .into_iter()
        .map(|(thread, depth)| {
            let first = next;
            next = next.saturating_add(depth);
            (thread, first)
        })
        .collect();
    let lane = |span: &Span| firsts[&span.thread].saturating_add(span.level);
    spans.iter().map(lane).collect()
}

fn highest(samples: &[Sample]) -> Option<Sample> {
    highest_by(samples.iter().copied(), |sample| sample.memory)
}
