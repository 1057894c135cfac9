//! The log of a run's memory, which the process that watches the run can read.

use std::io;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU64};

use memit_measurement::Moment;

use crate::shared::Shared;

/// Number of spans for which there is room.
const SPANS: usize = 2048;
/// Number of entries: both ends of each span, and of the run.
const ENTRIES: usize = 2 * SPANS + 2;
/// Room for the labels of spans, in bytes.
const LABELS: usize = 256 << 10;

/// Indices of the numbers in front of the entries.
mod head {
    pub(super) const COUNT: usize = 0;
    pub(super) const SPANS: usize = 1;
    pub(super) const LEFT_OUT: usize = 2;
    pub(super) const LABEL_BYTES: usize = 3;
    pub(super) const BASE: usize = 4;
    pub(super) const METERED: usize = 5;
    pub(super) const LENGTH: usize = 8;
}

/// Length of an entry, in numbers.
const ENTRY: usize = 8;

/// A log, for one writer at a time and any number of readers.
pub(super) struct Log {
    numbers: Shared<AtomicU64>,
    labels: Shared<AtomicU8>,
}

/// What an entry records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryKind {
    RunBegins,
    /// The number of the span, and its label.
    SpanBegins(u32, String),
    SpanEnds(u32),
    RunEnds,
}

/// A recorded moment, and the memory at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// The number that the system has given the thread.
    pub(super) thread: u32,
    pub(super) reading: Reading,
}

/// The memory at a moment, in the time of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) at: Moment,
    /// Highest resident set size since the previous entry; 0 if unknown.
    pub(super) peak_rss: u64,
    /// Highest live heap since the previous entry.
    pub(super) peak_heap: u64,
}

impl Log {
    /// An empty log.
    ///
    /// # Errors
    ///
    /// If the system refuses the memory.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            numbers: Shared::new(head::LENGTH + ENTRIES * ENTRY)?,
            labels: Shared::new(LABELS)?,
        })
    }

    /// Touches the pages that will be written: otherwise they would count as the run's.
    pub(super) fn touch(&self) {
        const PAGE: usize = 4096;
        let numbers = self.numbers.iter().step_by(PAGE / size_of::<u64>());
        let numbers = numbers.map(|number| number.load(Relaxed)).sum::<u64>();
        let labels = self.labels.iter().step_by(PAGE);
        let labels = labels
            .map(|byte| u64::from(byte.load(Relaxed)))
            .sum::<u64>();
        std::hint::black_box(numbers + labels);
    }

    fn head(&self, index: usize) -> &AtomicU64 {
        &self.numbers[index]
    }

    /// Live heap of the process when the run began, which every reading of the heap includes.
    pub(super) fn base(&self) -> u64 {
        self.head(head::BASE).load(Relaxed)
    }

    /// See [`Self::base`].
    pub(super) fn set_base(&self, bytes: u64) {
        self.head(head::BASE).store(bytes, Relaxed);
    }

    /// Whether readings have the system's own peak of the resident memory.
    pub(super) fn is_metered(&self) -> bool {
        self.head(head::METERED).load(Relaxed) != 0
    }

    /// See [`Self::is_metered`].
    pub(super) fn set_metered(&self, metered: bool) {
        self.head(head::METERED).store(u64::from(metered), Relaxed);
    }

    /// Number of spans for which there was no room.
    pub(super) fn left_out(&self) -> u64 {
        self.head(head::LEFT_OUT).load(Relaxed)
    }

    /// Whether the run has begun, and not ended.
    pub(super) fn is_open(&self) -> bool {
        let count = self.count();
        count > 0 && self.kind(count - 1) != kind::RUN_ENDS
    }

    fn count(&self) -> usize {
        let count = self.head(head::COUNT).load(Acquire);
        usize::try_from(count).unwrap_or(ENTRIES).min(ENTRIES)
    }

    fn kind(&self, index: usize) -> u64 {
        self.entry(index)[0].load(Relaxed)
    }

    fn entry(&self, index: usize) -> &[AtomicU64] {
        let start = head::LENGTH + index * ENTRY;
        &self.numbers[start..start + ENTRY]
    }

    /// Makes room for a span; `None` if there is no room.
    pub(super) fn new_span(&self, label: &[u8]) -> Option<NewSpan> {
        let number = usize::try_from(self.head(head::SPANS).load(Relaxed)).ok()?;
        let from = usize::try_from(self.head(head::LABEL_BYTES).load(Relaxed)).ok()?;
        let to = from + label.len();
        if number == SPANS || to > LABELS {
            let left_out = self.left_out() + 1;
            self.head(head::LEFT_OUT).store(left_out, Relaxed);
            return None;
        }
        for (to, from) in self.labels[from..to].iter().zip(label) {
            to.store(*from, Relaxed);
        }
        self.head(head::LABEL_BYTES).store(to as u64, Relaxed);
        self.head(head::SPANS).store(number as u64 + 1, Relaxed);
        Some(NewSpan {
            number: u32::try_from(number).ok()?,
            label: (from as u64) << 32 | label.len() as u64,
        })
    }

    pub(super) fn run_begins(&self, reading: Reading) {
        self.add([kind::RUN_BEGINS, 0, 0], reading);
    }

    pub(super) fn span_begins(&self, span: NewSpan, reading: Reading) {
        let numbers = [kind::SPAN_BEGINS, u64::from(span.number), span.label];
        self.add(numbers, reading);
    }

    /// Ends an open span.
    pub(super) fn span_ends(&self, number: u32, reading: Reading) {
        self.add([kind::SPAN_ENDS, u64::from(number), 0], reading);
    }

    pub(super) fn run_ends(&self, reading: Reading) {
        self.add([kind::RUN_ENDS, 0, 0], reading);
    }

    fn add(&self, kind: [u64; 3], reading: Reading) {
        let index = self.count();
        if index == ENTRIES {
            return;
        }
        let Reading {
            at,
            peak_rss,
            peak_heap,
        } = reading;
        let numbers = [at.time_ns, at.rss, at.heap, peak_rss, peak_heap];
        let [kind, span, label] = kind;
        let kind = [kind, u64::from(this_thread()) << 32 | span, label];
        for (to, from) in self
            .entry(index)
            .iter()
            .zip(kind.into_iter().chain(numbers))
        {
            to.store(from, Relaxed);
        }
        self.head(head::COUNT).store(index as u64 + 1, Release);
    }

    /// All entries so far.
    pub(super) fn entries(&self) -> Vec<Entry> {
        (0..self.count()).map(|index| self.read(index)).collect()
    }

    fn read(&self, index: usize) -> Entry {
        let number = |at: usize| self.entry(index)[at].load(Relaxed);
        let [span, thread] = halves(number(1));
        Entry {
            thread,
            kind: match number(0) {
                kind::RUN_BEGINS => EntryKind::RunBegins,
                kind::SPAN_BEGINS => EntryKind::SpanBegins(span, self.label(number(2))),
                kind::SPAN_ENDS => EntryKind::SpanEnds(span),
                _ => EntryKind::RunEnds,
            },
            reading: Reading {
                at: Moment {
                    time_ns: number(3),
                    rss: number(4),
                    heap: number(5),
                },
                peak_rss: number(6),
                peak_heap: number(7),
            },
        }
    }

    fn label(&self, place: u64) -> String {
        let part = |bits: u64| usize::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
        let (from, length) = (part(place >> 32), part(place));
        let bytes = self.labels.get(from..from + length).unwrap_or_default();
        let bytes: Vec<u8> = bytes.iter().map(|byte| byte.load(Relaxed)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The lower and the upper half.
fn halves(number: u64) -> [u32; 2] {
    let half = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    [half(number), half(number >> 32)]
}

/// The number of the calling thread; 0 where the system has none.
fn this_thread() -> u32 {
    #[cfg(target_os = "linux")]
    let thread = rustix::thread::gettid().as_raw_pid().cast_unsigned();
    #[cfg(not(target_os = "linux"))]
    let thread = 0;
    thread
}

/// A span for which there is room.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewSpan {
    pub(super) number: u32,
    /// Offset and length of its label among all labels, 32 bits each.
    label: u64,
}

mod kind {
    pub(super) const RUN_BEGINS: u64 = 1;
    pub(super) const SPAN_BEGINS: u64 = 2;
    pub(super) const SPAN_ENDS: u64 = 3;
    pub(super) const RUN_ENDS: u64 = 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time_ns: u64) -> Reading {
        Reading {
            at: Moment {
                time_ns,
                rss: 10,
                heap: 20,
            },
            peak_rss: 30,
            peak_heap: 40,
        }
    }

    #[test]
    fn entries_are_read_as_they_were_written() {
        let log = Log::new().unwrap();
        assert!(!log.is_open());
        log.run_begins(at(1));
        let (one, two) = (
            log.new_span(b"one").unwrap(),
            log.new_span("zwö".as_bytes()).unwrap(),
        );
        log.span_begins(one, at(2));
        log.span_begins(two, at(3));
        log.span_ends(one.number, at(4));
        assert!(log.is_open());
        log.run_ends(at(5));
        assert!(!log.is_open());
        let entries = log.entries();
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.clone()).collect();
        assert_eq!(
            kinds,
            [
                EntryKind::RunBegins,
                EntryKind::SpanBegins(0, "one".to_owned()),
                EntryKind::SpanBegins(1, "zwö".to_owned()),
                EntryKind::SpanEnds(0),
                EntryKind::RunEnds,
            ]
        );
        assert!(
            entries
                .iter()
                .map(|entry| entry.reading)
                .eq((1..=5).map(at))
        );
    }

    #[test]
    fn an_entry_names_the_thread_that_wrote_it() {
        let log = Log::new().unwrap();
        log.run_begins(at(1));
        let other = std::thread::scope(|scope| {
            let write = || {
                log.span_begins(log.new_span(b"elsewhere").unwrap(), at(2));
                this_thread()
            };
            scope.spawn(write).join().unwrap()
        });
        let threads: Vec<_> = log.entries().iter().map(|entry| entry.thread).collect();
        assert_eq!(threads, [this_thread(), other]);
    }

    #[test]
    fn spans_beyond_the_room_are_counted_and_every_kept_one_has_an_end() {
        let log = Log::new().unwrap();
        log.run_begins(at(0));
        let spans: Vec<_> = (0..SPANS + 3)
            .map_while(|_| log.new_span(b"again"))
            .collect();
        assert_eq!(spans.len(), SPANS);
        assert_eq!((log.new_span(b"x").is_none(), log.left_out()), (true, 2));
        for span in &spans {
            log.span_begins(*span, at(1));
        }
        for span in &spans {
            log.span_ends(span.number, at(2));
        }
        log.run_ends(at(3));
        assert_eq!(log.entries().last().unwrap().kind, EntryKind::RunEnds);
    }

    #[test]
    fn a_label_without_room_leaves_its_span_out() {
        let log = Log::new().unwrap();
        assert!(log.new_span(&vec![b'x'; LABELS + 1]).is_none());
        assert_eq!(log.left_out(), 1);
        assert!(log.new_span(b"short").is_some());
    }
}
