//! Phases and calls over time, appended to a file in the format of Python's `mprof`.
//!
//! `level` tells apart spans that overlap: `mprof plot --flame` draws one above the other.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memit_measure::program;
use memit_measurement::mprof_format::{self, Sample};

use crate::destination;
#[cfg(target_os = "linux")]
use memit_process::process::StatmFile;

/// Names the file that spans are appended to.
const FILE: &str = "MEMIT_MPROF_FILE";

/// The open file, and the process that writes to the file.
#[derive(Debug)]
struct Recorder {
    file: File,
    #[cfg(target_os = "linux")]
    statm: Option<StatmFile>,
    /// The process that opened the file. A fork has a copy of the pending lines and must not write
    /// them.
    process: u32,
}

/// Holds `None` if no file is named.
static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();

/// Lines that were not written to the file yet.
static LINES: Mutex<Lines> = Mutex::new(Lines {
    text: [0; ROOM],
    length: 0,
    written: Duration::ZERO,
});

/// Bytes for pending lines. The buffer is a static because the heap may be what is measured.
const ROOM: usize = 32 << 10;
/// Pending lines are written once the last write is longer ago than this.
const PATIENCE: Duration = Duration::from_millis(100);

/// A bit per level, set while a span is on the level.
static LEVELS: AtomicU64 = AtomicU64::new(0);

/// A span that has begun.
#[derive(Debug)]
pub(crate) struct Span {
    label: Cow<'static, str>,
    level: u32,
    start: Sample,
}

/// Opens the file, if one is named.
pub(crate) fn prepare() {
    recorder();
}

/// Begins a span, if there is a file.
#[inline]
pub(crate) fn begin(label: impl Into<Cow<'static, str>>) -> Option<Span> {
    recorder().map(|recorder| Span {
        label: label.into(),
        level: take_level(),
        start: recorder.now(),
    })
}

/// Ends a span.
pub(crate) fn end(span: &Span) {
    give_back(span.level);
    if let Some(recorder) = recorder() {
        recorder.record(&span.label, span.level, span.start, recorder.now());
    }
}

/// A span without a duration.
pub(crate) fn mark(label: &str) {
    if let Some(recorder) = recorder() {
        let now = recorder.now();
        let level = take_level();
        give_back(level);
        recorder.record(label, level, now, now);
    }
}

#[inline]
fn recorder() -> Option<&'static Recorder> {
    RECORDER.get_or_init(Recorder::open).as_ref()
}

impl Recorder {
    #[cold]
    fn open() -> Option<Self> {
        let path = destination::file(FILE)?;
        let file = File::options().create(true).append(true).open(&path);
        let file = file.inspect_err(|error| {
            let message = destination::cannot_write(&path, error);
            destination::show_on_standard_error(&format!("{message}\n"));
        });
        program::at_exit(write_the_rest);
        Some(Self {
            file: file.ok()?,
            #[cfg(target_os = "linux")]
            statm: StatmFile::of_this_process().ok(),
            process: std::process::id(),
        })
    }

    fn now(&self) -> Sample {
        #[cfg(target_os = "linux")]
        let memory = self.statm.as_ref().and_then(|statm| statm.resident().ok()?);
        #[cfg(not(target_os = "linux"))]
        let memory = crate::memory_usage();
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        Sample {
            memory: memory.unwrap_or(0),
            time: time.unwrap_or_default(),
        }
    }

    fn record(&self, label: &str, level: u32, start: Sample, end: Sample) {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.add(label, level, start, end) {
            self.write(&mut lines);
            // A label that is longer than the whole buffer is left out.
            lines.add(label, level, start, end);
        }
        if end.time.saturating_sub(lines.written) >= PATIENCE {
            self.write(&mut lines);
            lines.written = end.time;
        }
    }

    fn write(&self, lines: &mut Lines) {
        if self.process == std::process::id() {
            // A full disk is no reason to end the program.
            let _ = (&self.file).write_all(&lines.text[..lines.length]);
        }
        lines.length = 0;
    }
}

extern "C" fn write_the_rest() {
    if let Some(recorder) = recorder() {
        // Waiting for a thread that holds the lock could hang the end of the program.
        if let Ok(mut lines) = LINES.try_lock() {
            recorder.write(&mut lines);
        }
    }
}

struct Lines {
    text: [u8; ROOM],
    length: usize,
    /// Time of the last write to the file, since 1970.
    written: Duration,
}

impl Lines {
    /// Whether there was room for the line.
    fn add(&mut self, label: &str, level: u32, start: Sample, end: Sample) -> bool {
        let before = self.length;
        let added = mprof_format::function(self, label, start, end, level.into());
        if added.is_err() {
            self.length = before;
        }
        added.is_ok()
    }
}

impl fmt::Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.text[self.length..].get_mut(..text.len());
        room.ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

/// Takes the lowest free level.
fn take_level() -> u32 {
    let mut taken = LEVELS.load(Relaxed);
    loop {
        let level = taken.trailing_ones();
        let Some(bit) = 1_u64.checked_shl(level) else {
            // All levels are taken: further spans share the level above them.
            return level;
        };
        match LEVELS.compare_exchange_weak(taken, taken | bit, Relaxed, Relaxed) {
            Ok(_) => return level,
            Err(now) => taken = now,
        }
    }
}

fn give_back(level: u32) {
    if let Some(bit) = 1_u64.checked_shl(level) {
        LEVELS.fetch_and(!bit, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::MutexGuard;

    use super::*;

    fn lines(length: usize) -> MutexGuard<'static, Lines> {
        let mut lines = LINES.lock().unwrap();
        lines.length = length;
        lines
    }

    #[test]
    fn lines_are_as_mprof_reads_them() {
        let mut lines = lines(0);
        let start = Sample {
            memory: 10 << 20,
            time: Duration::from_micros(1_700_000_000_000_007),
        };
        let end = Sample {
            memory: (12 << 20) + 4096,
            time: Duration::from_millis(1_700_000_001_250),
        };
        assert!(lines.add("read all files", 3, start, end));
        let text = std::str::from_utf8(&lines.text[..lines.length]).unwrap();
        assert_eq!(
            text.replace('\u{a0}', "~"),
            "FUNC read~all~files 10.000000 1700000000.000007 12.003906 1700000001.250000 3\n"
        );
    }

    #[test]
    fn a_line_that_does_not_fit_leaves_no_trace() {
        let last = Sample {
            memory: u64::MAX,
            time: Duration::MAX,
        };
        let mut longest = lines(0);
        assert!(longest.add("", u32::MAX, last, last));
        let length = longest.length;
        longest.length = ROOM - length;
        assert!(longest.add("", u32::MAX, last, last));
        assert_eq!(longest.length, ROOM);
        let full = ROOM - length + 1;
        longest.length = full;
        assert!(!longest.add("", u32::MAX, last, last));
        assert_eq!(longest.length, full);
    }

    #[test]
    fn spans_at_the_same_time_are_on_different_levels() {
        let (first, second) = (take_level(), take_level());
        give_back(first);
        let third = take_level();
        assert_eq!((first, second, third), (0, 1, 0));
        give_back(second);
        give_back(third);
        assert_eq!(LEVELS.load(Relaxed), 0);
    }
}
