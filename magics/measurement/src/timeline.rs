//! What `%mprof` measures. Sizes are in bytes, times in nanoseconds from the start of the run.

use serde::{Deserialize, Serialize};

use crate::{Failure, Source};

/// What `%mprof` measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineMeasurement {
    /// Resident set size, with that of child processes if they were asked for. The first point is
    /// the start of the run, the last its end, and the highest its exact peak.
    pub rss: Series,
    /// Live heap: what the session held at the start, and what the run has obtained and not given
    /// back since, in usable sizes of blocks. First, last and highest point as in `rss`.
    pub heap: Series,
    /// Phases, timestamps and calls of functions with `#[profile]`, in the order of their starts.
    pub spans: Vec<Span>,
    /// Spans beyond those, of which only the number is known.
    pub left_out: u64,
    /// How often memory was read at the interval. Of many samples the series keep the extremes.
    pub samples: u64,
    /// Time between two of these samples, as it was asked for.
    pub interval_ns: u64,
    /// When the run started, in nanoseconds since 1970.
    pub started_ns: u64,
    /// Wall-clock time of the run, as far as it came.
    pub wall_ns: u64,
    /// Where the peak of the resident memory came from.
    pub source: Source,
    /// Whether child processes are included.
    pub children: bool,
    /// Whether the run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the measurement started.
    pub threads: u32,
    /// How the run failed, if it did; the rest is what there was until then.
    pub failure: Option<Failure>,
}

/// A size over time: columns of one length, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// When each point was.
    pub time_ns: Vec<u64>,
    /// How much there was.
    pub bytes: Vec<u64>,
}

/// A size at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// When.
    pub time_ns: u64,
    /// How much.
    pub bytes: u64,
}

/// A stretch of the run that has a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What the user calls it.
    pub label: String,
    /// When it began, and what there was.
    pub start: Moment,
    /// When it ended; for a timestamp, `start`.
    pub end: Moment,
    /// Highest resident set size in it.
    pub peak_rss: u64,
    /// Highest live heap in it.
    pub peak_heap: u64,
    /// How many other spans it is drawn on top of: those that began before it and were not over.
    pub level: u32,
    /// The run ended before it did.
    pub unfinished: bool,
}

/// Both sizes at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
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

    /// Adds a point behind the others.
    pub fn push(&mut self, point: Point) {
        self.time_ns.push(point.time_ns);
        self.bytes.push(point.bytes);
    }

    /// Its points.
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

    /// What there was at the start; zero if there is no point.
    pub fn baseline(&self) -> u64 {
        self.bytes.first().copied().unwrap_or_default()
    }
}
