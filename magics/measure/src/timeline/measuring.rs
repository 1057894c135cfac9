//! Starts and stops the recording around the statements of `%mprof`.

use std::sync::Arc;
use std::time::Instant;

use super::log::Log;
use super::recorder;
use crate::board::Board;
use crate::measuring::Measuring;
use crate::shared_common::SharedCommon;
use crate::threads;

/// Records one run.
pub(super) struct MeasuringTimeline {
    board: Arc<Board>,
    is_forked: bool,
}

impl MeasuringTimeline {
    /// Call this in the process of the run: in the fork, if the run is a fork.
    pub(super) fn new(
        board: Arc<Board>,
        common: Option<&SharedCommon>,
        log: Arc<Log>,
        epoch: Instant,
    ) -> Self {
        if let Some(common) = common {
            common.share();
        }
        recorder::prepare(log, epoch);
        Self {
            board,
            is_forked: common.is_some(),
        }
    }
}

impl Measuring for MeasuringTimeline {
    fn board(&self) -> &Arc<Board> {
        &self.board
    }

    fn is_forked(&self) -> bool {
        self.is_forked
    }

    fn begin(&mut self) {
        recorder::begin(threads::at_begin(self.is_forked()));
    }

    fn value_dropped(&mut self) {
        recorder::end();
    }

    fn leave(&mut self) {
        // A panic or a `?` skips `value_dropped`.
        recorder::end();
    }
}
