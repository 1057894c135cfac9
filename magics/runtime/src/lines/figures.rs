//! Counters as data.

use std::sync::atomic::Ordering::Relaxed;

use memit_lines::Figures;
use memit_lines::units::whole;

use super::counters::{ENDS, Line, Table};
use super::level;
use super::sampler::Samples;
use crate::measurement::{FunctionLines, LineFigures};

/// What functions have counted, with time from `samples` and from the clock, whose tick has this
/// length.
pub(super) fn figures<'a>(
    functions: impl Iterator<Item = Table<'a>>,
    tick_ns: f64,
    samples: &Samples,
) -> Vec<FunctionLines> {
    let function = |(index, table): (usize, Table<'_>)| {
        let head = table.head();
        let running = head.line.load(Relaxed).checked_sub(1);
        let running = running.and_then(|line| table.lines().get(line as usize));
        let lines = table.lines().iter().enumerate().map(|(at, line)| {
            let exact = line.time.load(Relaxed) as f64 * tick_ns;
            let time_ns = whole(exact) + samples.time_ns(index, at);
            LineFigures {
                line: line.number & !ENDS,
                ends: line.number & ENDS != 0,
                figures: figures_of(line, time_ns),
            }
        });
        FunctionLines {
            name: head.name.to_owned(),
            file: head.file.to_owned(),
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

fn figures_of(line: &Line, time_ns: u64) -> Figures {
    Figures {
        hits: line.hits.load(Relaxed),
        memory: line.memory.load(Relaxed),
        increment: line.increment.load(Relaxed),
        peak: line.peak.load(Relaxed),
        allocations: line.allocations.load(Relaxed),
        time_ns,
    }
}
