//! Turns counters into data.

use std::sync::atomic::Ordering::Relaxed;

use memit_lines::Figures;
use memit_lines::units::whole;
use memit_measurement::{FunctionLines, LineFigures};
use memit_session::lines::counters::{ENDS, Line, Table};

use super::level;
use super::sampler::Samples;

/// The source of the time of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time<'a> {
    /// Lines have no time.
    None,
    Sampled(&'a Samples),
    /// The clock, with the length of its tick and the cost of a probe in nanoseconds.
    Exact {
        tick_ns: f64,
        probe_ns: f64,
    },
}

impl Time<'_> {
    /// Time in nanoseconds of a line. `function` and `at` are the indices of its function and of
    /// the line.
    fn of(self, line: &Line, function: usize, at: usize) -> u64 {
        match self {
            Self::None => 0,
            Self::Sampled(samples) => samples.time_ns(function, at),
            Self::Exact { tick_ns, probe_ns } => {
                let probes = line.allocations.load(Relaxed) as f64;
                let ticks = line.time.load(Relaxed) as f64;
                whole(ticks * tick_ns - probes * probe_ns)
            }
        }
    }

    /// Allocations of a line; 0 for a timed line, which counts probes instead.
    fn allocations(self, line: &Line) -> u64 {
        match self {
            Self::Exact { .. } => 0,
            _ => line.allocations.load(Relaxed),
        }
    }
}

/// The figures of functions.
pub(super) fn figures<'a>(
    functions: impl Iterator<Item = Table<'a>>,
    time: Time<'_>,
) -> Vec<FunctionLines> {
    let function = |(index, table): (usize, Table<'_>)| {
        let head = table.head();
        let running = head.line.load(Relaxed).checked_sub(1);
        let running = running.and_then(|line| table.lines().get(line as usize));
        let lines = table
            .lines()
            .iter()
            .enumerate()
            .map(|(at, line)| LineFigures {
                line: line.number & !ENDS,
                ends: line.number & ENDS != 0,
                figures: Figures {
                    allocations: time.allocations(line),
                    time_ns: time.of(line, index, at),
                    ..memory_of(line)
                },
            });
        FunctionLines {
            name: head.name.as_str().to_owned(),
            file: head.file.as_str().to_owned(),
            first: head.first,
            backend: level::backend(head),
            calls: head.calls.load(Relaxed),
            depth: head.depth.load(Relaxed),
            running: running.map(|line| line.number & !ENDS),
            lines: lines.collect(),
        }
    };
    functions.enumerate().map(function).collect()
}

fn memory_of(line: &Line) -> Figures {
    Figures {
        hits: line.hits.load(Relaxed),
        memory: line.memory.load(Relaxed),
        increment: line.increment.load(Relaxed),
        peak: line.peak.load(Relaxed),
        ..Figures::default()
    }
}
