//! Spans of time and memory in a file, as Python's `memory_profiler` writes them for its `mprof`:
//!
//! ```text
//! FUNC name memory-at-start time-at-start memory-at-end time-at-end level
//! ```
//!
//! Memory is in MiB with four decimals, as `TimeStamper.show_results` in version 0.61 has it; times are
//! in seconds since 1970, with two decimals more. `level` tells spans apart that are there at the
//! same time: `mprof plot --flame` draws one above the other.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use memit_runtime::program;

use crate::destination;
#[cfg(target_os = "linux")]
use crate::resident::linux::Statm;

/// Names the file that spans are appended to.
const FILE: &str = "MEMIT_MPROF_FILE";

/// The file, and what it takes to write to it.
#[derive(Debug)]
struct Recorder {
    file: File,
    #[cfg(target_os = "linux")]
    statm: Option<Statm>,
    /// A fork has a copy of the lines that are held back, and leaves writing them to this.
    process: u32,
}

/// `None` when nothing is asked for.
static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();

/// Lines that are held back, and when the last were written.
static LINES: Mutex<Lines> = Mutex::new(Lines {
    text: [0; ROOM],
    length: 0,
    written: 0,
});

/// Bytes; not on the heap, which may be what is being measured.
const ROOM: usize = 32 << 10;
/// Bytes of a line beside its label, at most: words, five numbers and what is between them.
const AROUND_LABEL: usize = 160;
/// Lines are held back for so many microseconds at most while others come.
const PATIENCE: u64 = 100_000;

/// A bit for each level that a span is on.
static LEVELS: AtomicU64 = AtomicU64::new(0);

/// A span that has begun.
#[derive(Debug)]
pub(crate) struct Span {
    label: Cow<'static, str>,
    level: u32,
    start: Moment,
}

#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Resident set size in bytes.
    memory: u64,
    /// Microseconds since 1970.
    time: u64,
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

/// Ends it.
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
            statm: Statm::open(),
            process: std::process::id(),
        })
    }

    fn now(&self) -> Moment {
        #[cfg(target_os = "linux")]
        let memory = self.statm.as_ref().and_then(Statm::resident);
        #[cfg(not(target_os = "linux"))]
        let memory = crate::memory_usage();
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        let time = time.map_or(0, |time| time.as_micros());
        Moment {
            memory: memory.unwrap_or(0),
            time: u64::try_from(time).unwrap_or(u64::MAX),
        }
    }

    fn record(&self, label: &str, level: u32, start: Moment, end: Moment) {
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.add(label, level, start, end) {
            self.write(&mut lines);
            // A label that is longer than all there is room for is left out.
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
        // A thread that is not done with a line is not waited for.
        if let Ok(mut lines) = LINES.try_lock() {
            recorder.write(&mut lines);
        }
    }
}

struct Lines {
    text: [u8; ROOM],
    length: usize,
    /// Microseconds since 1970.
    written: u64,
}

impl Lines {
    /// Whether there is room for the line.
    fn add(&mut self, label: &str, level: u32, start: Moment, end: Moment) -> bool {
        if label.len() + AROUND_LABEL > ROOM - self.length {
            return false;
        }
        self.put(b"FUNC ");
        self.label(label);
        self.moment(start);
        self.moment(end);
        self.put(b" ");
        self.number(u64::from(level), 1);
        self.put(b"\n");
        true
    }

    /// `mprof` splits lines at spaces.
    fn label(&mut self, label: &str) {
        let mut words = label.split(char::is_whitespace);
        self.put(words.next().unwrap_or_default().as_bytes());
        for word in words {
            self.put(b"_");
            self.put(word.as_bytes());
        }
    }

    fn moment(&mut self, moment: Moment) {
        const MIB: u64 = 1 << 20;
        const MICROS: u64 = 1_000_000;
        // To the nearest of the last decimal.
        let memory = moment.memory.saturating_add(MIB / 20_000);
        self.put(b" ");
        self.number(memory / MIB, 1);
        self.put(b".");
        self.number(memory % MIB * 10_000 / MIB, 4);
        self.put(b" ");
        self.number(moment.time / MICROS, 1);
        self.put(b".");
        self.number(moment.time % MICROS, 6);
    }

    /// As decimal digits, with zeros in front up to `width`. What formatting macros take for a
    /// line is more than all the rest.
    fn number(&mut self, mut number: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        while number > 0 || digits.len() - start < width {
            start -= 1;
            digits[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        self.put(&digits[start..]);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.text[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

/// The lowest level that no span is on.
fn take_level() -> u32 {
    let mut taken = LEVELS.load(Relaxed);
    loop {
        let level = taken.trailing_ones();
        let Some(bit) = 1_u64.checked_shl(level) else {
            // All further spans share a level.
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
        let start = Moment {
            memory: 10 << 20,
            time: 1_700_000_000_000_007,
        };
        let end = Moment {
            memory: (12 << 20) + 4096,
            time: 1_700_000_001_250_000,
        };
        assert!(lines.add("read all\tfiles", 3, start, end));
        assert_eq!(
            std::str::from_utf8(&lines.text[..lines.length]).unwrap(),
            "FUNC read_all_files 10.0000 1700000000.000007 12.0039 1700000001.250000 3\n"
        );
    }

    #[test]
    fn a_line_is_as_long_as_is_said_at_most() {
        let last = Moment {
            memory: u64::MAX,
            time: u64::MAX,
        };
        let mut longest = lines(0);
        assert!(longest.add("", u32::MAX, last, last));
        assert!(longest.length <= AROUND_LABEL, "{}", longest.length);
        let full = ROOM - AROUND_LABEL + 1;
        longest.length = full;
        assert!(!longest.add("", 0, last, last));
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
