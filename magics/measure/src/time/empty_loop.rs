//! The time of a loop that does nothing, for comparison with runs that take hardly longer.

use std::hint::black_box;
use std::time::Instant;

/// Most rounds of an empty loop: some milliseconds.
const MOST_ROUNDS: u64 = 10_000_000;

/// Nanoseconds that a round of an empty loop takes now, over as many rounds as a run has loops.
///
/// The loop counts and passes its counter to `black_box`, as a loop of the generated code passes the
/// value of the statements. What slows the runs slows this loop, too: a low clock rate, or another
/// program on the same core.
pub(super) fn round_ns(loops: u64) -> f64 {
    let rounds = loops.clamp(1, MOST_ROUNDS);
    let start = Instant::now();
    for round in 0..rounds {
        black_box(round);
    }
    start.elapsed().as_secs_f64() * 1e9 / rounds as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_takes_some_cycles_whatever_the_number_of_rounds() {
        let best = |rounds| (0..20).map(|_| round_ns(rounds)).fold(f64::MAX, f64::min);
        assert!((0.05..10.0).contains(&best(100_000)));
        // Beyond the most rounds, the time of a round stays what it was.
        assert!(round_ns(MOST_ROUNDS * 1000) < 100.0);
    }
}
