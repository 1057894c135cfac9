//! Time by sampling: reads at an interval which line is running.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use memit_session::lines::counters::Table;

use super::known;
use crate::sampling_thread::SamplingThread;

/// Time between two samples.
pub(super) const SAMPLING: Duration = Duration::from_micros(100);

/// The samples so far.
#[derive(Debug)]
pub(super) struct Samples {
    /// Time of the last sample.
    last: Instant,
    /// Samples that found a line running.
    met: u64,
    /// Time of each line of each function, in the order of the functions.
    times: Vec<Vec<Duration>>,
}

impl Samples {
    /// No samples.
    pub(super) fn new() -> Self {
        Self {
            last: Instant::now(),
            met: 0,
            times: Vec::new(),
        }
    }

    /// Charges the running lines with the time since the last sample.
    pub(super) fn take<'a>(&mut self, functions: impl Iterator<Item = Table<'a>>) {
        let now = Instant::now();
        let elapsed = now - std::mem::replace(&mut self.last, now);
        let mut met = false;
        for (index, function) in functions.enumerate() {
            if self.times.len() <= index {
                let lines = function.lines().len();
                self.times.push(vec![Duration::ZERO; lines]);
            }
            let line = function.head().line.load(Relaxed).checked_sub(1);
            let time = line.and_then(|line| self.times[index].get_mut(line as usize));
            if let Some(time) = time {
                *time += elapsed;
                met = true;
            }
        }
        self.met += u64::from(met);
    }

    /// Samples that found a line running.
    pub(super) fn met(&self) -> u64 {
        self.met
    }

    /// Time in nanoseconds of the line at index `line` of the function at index `function`.
    pub(super) fn time_ns(&self, function: usize, line: usize) -> u64 {
        let time = self.times.get(function).and_then(|lines| lines.get(line));
        time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Samples the lines of this process, for runs in place.
pub(super) fn start_thread() -> io::Result<SamplingThread<Samples>> {
    SamplingThread::start("line sampler", SAMPLING, Samples::new(), |samples| {
        samples.take(known::all());
    })
}
