//! Turns counters into data: adds up what the threads have counted.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use memit_lines::Figures;
use memit_measurement::{FunctionLines, LineFigures};
use memit_session::lines::counters::{ENDS, Line, Table};

use super::arena::Arena;
use super::level;

/// The figures of a function.
pub(super) struct Counted {
    /// Address of the function's static, which tells functions apart.
    pub(super) address: usize,
    pub(super) function: FunctionLines,
}

/// The figures of functions, in the order of their first runs. With `after_panic`, a line that was
/// running at the last panic counts as running.
pub(super) fn figures(arena: &Arena, after_panic: bool) -> Vec<Counted> {
    let mut functions: BTreeMap<usize, Counted> = BTreeMap::new();
    for record in arena.records() {
        for (number, table) in record.numbered_tables() {
            let function = of_thread(table, after_panic);
            if let Some(sum) = functions.get_mut(&number) {
                add(&mut sum.function, &function);
            } else {
                let address = address(table);
                functions.insert(number, Counted { address, function });
            }
        }
    }
    functions.into_values().collect()
}

/// Address of the static of the function that a thread counts.
pub(super) fn address(own: Table<'_>) -> usize {
    own.head().of.load(Relaxed).addr()
}

fn of_thread(table: Table<'_>, after_panic: bool) -> FunctionLines {
    let head = table.head();
    let running = match head.line.load(Relaxed) {
        0 if after_panic => head.panicked.load(Relaxed),
        line => line,
    };
    let running = running.checked_sub(1);
    let running = running.and_then(|line| table.lines().get(line as usize));
    FunctionLines {
        name: head.name.as_str().to_owned(),
        file: head.file.as_str().to_owned(),
        first: head.first,
        backend: level::backend(head),
        calls: head.calls.load(Relaxed),
        depth: head.depth.load(Relaxed),
        running: running.map(|line| line.number & !ENDS),
        lines: table.lines().iter().map(of_line).collect(),
    }
}

fn of_line(line: &Line) -> LineFigures {
    LineFigures {
        line: line.number & !ENDS,
        ends: line.number & ENDS != 0,
        figures: Figures {
            hits: line.hits.load(Relaxed),
            memory: line.memory.load(Relaxed),
            increment: line.increment.load(Relaxed),
            peak: line.peak.load(Relaxed),
            allocations: line.allocations.load(Relaxed),
            time_ns: line.time.load(Relaxed),
        },
    }
}

/// Adds the figures of another thread. Memory and peaks are the highest of the threads, and the line
/// that is running is that of the first thread that runs one.
fn add(sum: &mut FunctionLines, counted: &FunctionLines) {
    sum.calls += counted.calls;
    if sum.running.is_none() && counted.running.is_some() {
        sum.running = counted.running;
        sum.depth = counted.depth;
    }
    for (sum, counted) in sum.lines.iter_mut().zip(&counted.lines) {
        let (sum, counted) = (&mut sum.figures, counted.figures);
        let ran = sum.hits > 0;
        sum.memory = match (ran, counted.hits > 0) {
            (true, true) => sum.memory.max(counted.memory),
            (false, true) => counted.memory,
            _ => sum.memory,
        };
        sum.hits += counted.hits;
        sum.increment += counted.increment;
        sum.peak = sum.peak.max(counted.peak);
        sum.allocations += counted.allocations;
        sum.time_ns += counted.time_ns;
    }
}
