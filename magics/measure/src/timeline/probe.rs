//! What measures while the statements of `%mprof` run.

use std::sync::Arc;
use std::time::Instant;

use super::log::Log;
use super::recorder;
use crate::board::Board;
use crate::lines::arena::Arena;

/// Records one run: [`Self::begin`], the statements and the end of their value, [`Self::end`].
pub(crate) struct TimelineProbe {
    board: Arc<Board>,
    /// In a fork.
    arena: Option<Arc<Arena>>,
}

impl TimelineProbe {
    /// A probe for the process that calls this, which for a fork is the fork.
    pub(super) fn new(
        board: Arc<Board>,
        arena: Option<Arc<Arena>>,
        log: Arc<Log>,
        epoch: Instant,
    ) -> Self {
        if let Some(arena) = &arena {
            arena.share_common();
        }
        recorder::prepare(log, epoch);
        Self { board, arena }
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.arena.is_some()
    }

    pub(crate) fn begin(&self) {
        recorder::begin(!self.is_forked());
    }

    #[expect(clippy::unused_self, reason = "one run is recorded at a time")]
    pub(crate) fn end(&self) {
        recorder::end();
    }
}
