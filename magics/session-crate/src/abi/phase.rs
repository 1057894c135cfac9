//! Phases that are under way.

/// Identifies a phase from its beginning to its end.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhaseNumber(u64);

impl PhaseNumber {
    /// No phase: nothing is recorded.
    pub const NONE: Self = Self(0);

    /// The phase with the number `span` in the recorded run `run`. Runs are numbered from 1, so that
    /// no phase is [`Self::NONE`].
    pub fn new(run: u32, span: u32) -> Self {
        Self(u64::from(run) << 32 | u64::from(span))
    }

    /// The span, if the phase belongs to this run.
    pub fn span_in(self, run: u32) -> Option<u32> {
        if self.0 >> 32 != u64::from(run) {
            return None;
        }
        u32::try_from(self.0 & u64::from(u32::MAX)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_known_in_its_own_run_only() {
        let phase = PhaseNumber::new(1, 0);
        assert_eq!(phase.span_in(1), Some(0));
        assert_eq!(phase.span_in(2), None);
        assert_ne!(phase, PhaseNumber::NONE);
    }
}
