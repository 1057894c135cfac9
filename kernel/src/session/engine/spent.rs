//! What a cell has spent, over all of its parts.

use std::time::Duration;

use memit_magics::result::CellCost;
use memit_measurement::RunCost;

/// What the parts of a cell have spent so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Spent {
    compiled: Duration,
    runs: Vec<RunCost>,
    /// A part ended early, so not all of its costs are known.
    ended_early: bool,
}

impl Spent {
    /// Adds code that was compiled and, if it came to its end, has run.
    pub(super) fn add(&mut self, took: Duration, ran: Option<RunCost>, ended_early: bool) {
        let run = Duration::from_nanos(ran.as_ref().map_or(0, |ran| ran.wall_ns));
        self.compiled += took.saturating_sub(run);
        self.runs.extend(ran);
        self.ended_early |= ended_early;
    }

    /// Time to compile.
    pub(crate) fn compiled(&self) -> Duration {
        self.compiled
    }

    /// What a cell has cost that has spent this, and took `wall` from its start to its end.
    pub(crate) fn cost(&self, wall: Duration) -> CellCost {
        let sum = |part: fn(&RunCost) -> u64| self.runs.iter().map(part).sum();
        let residents = || self.runs.iter().filter_map(|run| run.resident);
        let increments =
            residents().map(|resident| resident.peak.saturating_sub(resident.baseline));
        let changes = self.runs.iter().map(|run| run.heap_change);
        let is_nothing = self.runs.is_empty() && self.compiled.is_zero();
        let known = |ns| (!self.ended_early && !is_nothing).then_some(ns);
        CellCost {
            wall_ns: nanoseconds(wall),
            compile_ns: known(nanoseconds(self.compiled)),
            run_ns: known(sum(|run| run.wall_ns)),
            user_ns: sum(|run| run.user_ns),
            system_ns: sum(|run| run.system_ns),
            peak_memory: residents().map(|resident| resident.peak).max(),
            increment: increments.max(),
            session_change: changes
                .sum::<Option<i64>>()
                .filter(|_| !self.runs.is_empty()),
            ..CellCost::default()
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use memit_measurement::ResidentCost;

    use super::*;

    fn run(wall_ns: u64, peak: u64, heap_change: Option<i64>) -> RunCost {
        RunCost {
            wall_ns,
            resident: Some(ResidentCost { baseline: 10, peak }),
            heap_change,
            ..RunCost::default()
        }
    }

    #[test]
    fn the_parts_of_a_cell_are_added_up() {
        let mut spent = Spent::default();
        spent.add(Duration::from_nanos(100), Some(run(60, 30, Some(5))), false);
        spent.add(Duration::from_nanos(50), Some(run(20, 25, Some(-1))), false);
        let cost = spent.cost(Duration::from_nanos(200));
        assert_eq!((cost.compile_ns, cost.run_ns), (Some(70), Some(80)));
        assert_eq!((cost.peak_memory, cost.increment), (Some(30), Some(20)));
        assert_eq!((cost.session_change, cost.wall_ns), (Some(4), 200));
        spent.add(Duration::from_nanos(10), None, true);
        let cost = spent.cost(Duration::from_nanos(200));
        assert_eq!(
            (cost.compile_ns, cost.run_ns, cost.wall_ns),
            (None, None, 200)
        );
    }

    #[test]
    fn a_cell_that_ran_nothing_has_no_costs() {
        let cost = Spent::default().cost(Duration::ZERO);
        assert_eq!((cost.peak_memory, cost.session_change), (None, None));
        assert_eq!((cost.compile_ns, cost.run_ns), (None, None));
    }
}
