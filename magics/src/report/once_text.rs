//! `%time` in lines of text.

use crate::result::TimeResult;
use crate::units;

/// Digits of times.
const PRECISION: usize = 3;

pub(super) fn text(result: &TimeResult) -> String {
    [
        cpu_times(result),
        times(result),
        memory(result),
        heap(result),
    ]
    .join("\n")
}

/// The line in the format of `IPython`.
pub(super) fn cpu_times(result: &TimeResult) -> String {
    format!(
        "CPU times: user {}, sys: {}, total: {}",
        time(result.user_ns),
        time(result.system_ns),
        time(result.user_ns + result.system_ns)
    )
}

/// Wall-clock time and the time to compile.
pub(super) fn times(result: &TimeResult) -> String {
    format!(
        "Wall time: {}, compile time: {}",
        time(result.wall_ns),
        time(result.compile_time)
    )
}

/// The resident memory.
pub(super) fn memory(result: &TimeResult) -> String {
    match (result.peak_memory, result.increment) {
        (Some(peak), Some(increment)) => {
            format!(
                "peak memory: {}, increment: {}",
                units::mib(peak),
                units::mib(increment)
            )
        }
        _ => "peak memory: not known, because the system does not tell it".to_owned(),
    }
}

/// The heap.
pub(super) fn heap(result: &TimeResult) -> String {
    let allocations = units::counted(&units::count(result.allocations), "allocation");
    let peak = units::bytes(result.heap_peak);
    let obtained = if result.heap_allocated == result.heap_peak {
        format!("heap peak: {peak} in {allocations}")
    } else {
        let allocated = units::bytes(result.heap_allocated);
        format!("heap peak: {peak}, allocated: {allocated} in {allocations}")
    };
    format!(
        "{obtained}, the session holds {}",
        more(result.heap_retained)
    )
}

/// `1.00 MiB more`.
pub(super) fn more(change: i64) -> String {
    let size = units::bytes(change.unsigned_abs());
    match change {
        0 => "as much as before".to_owned(),
        1.. => format!("{size} more"),
        _ => format!("{size} less"),
    }
}

pub(super) fn time(ns: u64) -> String {
    units::time(ns as f64, PRECISION)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use memit_measurement::{OnceMeasurement, ResidentCost, RunCost};

    use super::*;

    #[test]
    fn a_vector_that_stays_and_statements_that_free() {
        let measurement = OnceMeasurement {
            cost: RunCost {
                wall_ns: 51_200_000,
                user_ns: 12_000_000,
                system_ns: 38_000_000,
                resident: Some(ResidentCost {
                    baseline: 9 << 20,
                    peak: 109 << 20,
                }),
                heap_change: None,
            },
            heap_peak: 100 << 20,
            heap_allocated: 100 << 20,
            allocations: 1,
            heap_retained: 100 << 20,
        };
        let compiled = Duration::from_millis(84);
        assert_snapshot!(text(&TimeResult::new(&measurement, compiled)), @"
        CPU times: user 12 ms, sys: 38 ms, total: 50 ms
        Wall time: 51.2 ms, compile time: 84 ms
        peak memory: 109.00 MiB, increment: 100.00 MiB
        heap peak: 100.00 MiB in 1 allocation, the session holds 100.00 MiB more
        ");
        let less = OnceMeasurement {
            cost: RunCost::default(),
            heap_retained: -4096,
            heap_allocated: 200 << 20,
            allocations: 1234,
            ..measurement
        };
        assert_snapshot!(text(&TimeResult::new(&less, compiled)), @"
        CPU times: user 0 ns, sys: 0 ns, total: 0 ns
        Wall time: 0 ns, compile time: 84 ms
        peak memory: not known, because the system does not tell it
        heap peak: 100.00 MiB, allocated: 200.00 MiB in 1,234 allocations, the session holds 4.00 KiB less
        ");
    }
}
