//! How far a timed measurement has come.
//!
//! The progress is on the board, where a run that goes on in a new fork finds it.

use std::sync::Arc;

use crate::board::Board;
use crate::run::FIGURES;

/// The numbers of a timed measurement on its board. Times are in nanoseconds, sizes in bytes.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub(super) enum Number {
    /// Executions in a run.
    Loops = FIGURES,
    /// Shortest time of a round of an empty loop beside the runs, as the bits of a float.
    EmptyLoop,
    /// See [`Stage`].
    Stage,
    /// Executions of the current run that are done, and their time.
    Done,
    Elapsed,
    /// Time since the current run began, with its set-ups.
    Whole,
    /// Executions that run now, without a look at the memory in between.
    Current,
    /// Most executions without such a look; 0 for no limit.
    AtOnce,
    /// 1 if one execution has finished.
    FinishedOne,
    /// Resident memory at the peak of the first executions.
    FirstPeak,
    /// Growth of the live heap per execution, as the bits of a float.
    GrowthEach,
    /// Highest growth of the live heap after the first executions of a fork.
    Grown,
    /// 1 if the run must go on in a new fork, because the memory has grown.
    MustRestart,
    /// How often that happened.
    Restarts,
    /// Resident memory before the run with the highest growth, and its peak.
    Baseline,
    Peak,
    /// Executions in the current batch.
    Batch,
    /// When the set-up of a batch of several executions began; 0 if none is under way.
    Preparing,
    /// Time of the first set-up.
    SetUp,
    /// 1 if each execution must follow its set-up.
    Alone,
    /// Possible error of the times of all runs.
    Error,
    /// The time of the first run; the others follow.
    Times,
}

/// The numbers of a timed measurement.
#[derive(Clone)]
pub(super) struct Progress {
    pub(super) board: Arc<Board>,
}

/// The purpose of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Looking for the number of loops.
    Ranging,
    /// One execution, to learn what one takes.
    Trying,
    /// This many runs are done.
    Running(u32),
}

impl Progress {
    pub(super) fn new(repeat: u32) -> std::io::Result<Self> {
        let board = Arc::new(Board::new(Number::Times as usize + repeat as usize)?);
        Ok(Self { board })
    }

    pub(super) fn get(&self, number: Number) -> u64 {
        self.board.get(number as usize)
    }

    pub(super) fn set(&self, number: Number, value: u64) {
        self.board.set(number as usize, value);
    }

    pub(super) fn take(&self, number: Number) -> u64 {
        let value = self.get(number);
        self.set(number, 0);
        value
    }

    pub(super) fn add(&self, number: Number, value: u64) {
        self.set(number, self.get(number).saturating_add(value));
    }

    pub(super) fn raise(&self, number: Number, value: u64) {
        self.set(number, self.get(number).max(value));
    }

    pub(super) fn float(&self, number: Number) -> f64 {
        f64::from_bits(self.get(number))
    }

    pub(super) fn set_float(&self, number: Number, value: f64) {
        self.set(number, value.to_bits());
    }

    pub(super) fn stage(&self) -> Stage {
        match self.get(Number::Stage) {
            0 => Stage::Ranging,
            1 => Stage::Trying,
            done => Stage::Running(u32::try_from(done - 2).unwrap_or(u32::MAX)),
        }
    }

    /// Begins a stage, with its first execution.
    pub(super) fn begin(&self, stage: Stage) {
        let number = match stage {
            Stage::Ranging => 0,
            Stage::Trying => 1,
            Stage::Running(done) => u64::from(done) + 2,
        };
        self.set(Number::Stage, number);
        for number in [
            Number::Done,
            Number::Elapsed,
            Number::Whole,
            Number::Current,
        ] {
            self.set(number, 0);
        }
    }

    /// The time of a run.
    pub(super) fn time(&self, run: u32) -> u64 {
        self.board.get(Number::Times as usize + run as usize)
    }

    pub(super) fn set_time(&self, run: u32, time: u64) {
        self.board.set(Number::Times as usize + run as usize, time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_survives_as_a_number() {
        let progress = Progress::new(2).unwrap();
        for stage in [
            Stage::Ranging,
            Stage::Trying,
            Stage::Running(0),
            Stage::Running(2),
        ] {
            progress.add(Number::Done, 7);
            progress.begin(stage);
            assert_eq!(progress.stage(), stage);
            assert_eq!(progress.get(Number::Done), 0);
        }
    }

    #[test]
    fn the_times_of_runs_stand_behind_the_other_numbers() {
        let progress = Progress::new(2).unwrap();
        progress.set_time(0, 5);
        progress.set_time(1, 6);
        progress.set(Number::Error, 9);
        assert_eq!((progress.time(0), progress.time(1)), (5, 6));
    }
}
