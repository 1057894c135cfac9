//! Measurements of `%mprof`. Sizes are in bytes, times in nanoseconds from the start of the run.

use serde::{Deserialize, Serialize};

use crate::{Failure, Source};

/// The result of `%mprof`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineMeasurement {
    /// Resident set size, including child processes if the user asked for them. The first point is
    /// the start of the run, the last point the end of the run, and the highest point the exact
    /// peak.
    pub rss: Series,
    /// Live heap in usable sizes of blocks: the heap of the session at the start, and the blocks
    /// that the run has obtained and not freed since. The first, last and highest point mean the
    /// same as in `rss`.
    pub heap: Series,
    /// Phases, timestamps and calls of functions with `#[profile]`, in the order of their starts.
    pub spans: Vec<Span>,
    /// Number of further spans, which were not kept.
    pub left_out: u64,
    /// Number of samples that were taken at the interval. If there are many, the series keep only
    /// the extremes.
    pub samples: u64,
    /// Requested time between two samples.
    pub interval_ns: u64,
    /// When the run started, in nanoseconds since 1970.
    pub started_ns: u64,
    /// Wall-clock time of the run, up to its failure if it failed.
    pub wall_ns: u64,
    /// Where the peak of the resident memory came from.
    pub source: Source,
    /// Whether child processes are included.
    pub children: bool,
    /// Whether the run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// Threads that the statements had started and that still ran at the end.
    pub outlasting: u32,
    /// How the run failed, if it did. The other data end at the failure.
    pub failure: Option<Failure>,
}

/// A size over time: columns of one length, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Time of each point.
    pub time_ns: Vec<u64>,
    /// Size at each point.
    pub bytes: Vec<u64>,
}

/// A size at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Time of the point.
    pub time_ns: u64,
    /// Size at this time.
    pub bytes: u64,
}

/// A named stretch of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Name that the user gave the span.
    pub label: String,
    /// Time and memory at the start of the span.
    pub start: Moment,
    /// Time and memory at the end of the span; equal to `start` for a timestamp.
    pub end: Moment,
    /// Highest resident set size in the span.
    pub peak_rss: u64,
    /// Highest live heap in the span.
    pub peak_heap: u64,
    /// Level at which the span is drawn: the lowest level that no other span of its thread has at the
    /// same time.
    pub level: u32,
    /// The thread that began the span: 0 for the thread of the statements. Others are numbered in the
    /// order of their first spans.
    pub thread: u32,
    /// Whether the run ended before the span did.
    pub unfinished: bool,
}

/// Both sizes at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Time of the sizes.
    pub time_ns: u64,
    /// Resident set size.
    pub rss: u64,
    /// Live heap.
    pub heap: u64,
}

impl Series {
    /// The series of these points.
    pub fn of(points: impl IntoIterator<Item = Point>) -> Self {
        let mut series = Self::default();
        for point in points {
            series.push(point);
        }
        series
    }

    /// Appends a point.
    pub fn push(&mut self, point: Point) {
        self.time_ns.push(point.time_ns);
        self.bytes.push(point.bytes);
    }

    /// The points of the series.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = Point> + '_ {
        let columns = self.time_ns.iter().zip(&self.bytes);
        columns.map(|(time_ns, bytes)| Point {
            time_ns: *time_ns,
            bytes: *bytes,
        })
    }

    /// The highest point, the first of equals; zero if there is none.
    pub fn peak(&self) -> Point {
        let highest = |one: Point, other: Point| {
            if other.bytes > one.bytes { other } else { one }
        };
        self.points().reduce(highest).unwrap_or_default()
    }

    /// The size at the start; zero if there is no point.
    pub fn baseline(&self) -> u64 {
        self.bytes.first().copied().unwrap_or_default()
    }
}
