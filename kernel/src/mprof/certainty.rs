//! What is known of a peak.

use memit_magics::units;
use memit_measurement::Backend;

/// How the true peak relates to the highest that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    Exact,
    /// The true peak may be higher, up to this size in bytes.
    UpTo(u64),
    /// The true peak may be higher.
    AtLeast,
    /// The true peak may be lower.
    AtMost,
}

impl Certainty {
    /// Of a recording whose last sample has looked at the mark of the peak. The system keeps a mark of
    /// the resident memory of a single process only.
    pub(super) fn of_samples(backend: Backend, is_of_several: bool) -> Self {
        if backend == Backend::Rss && !is_of_several {
            Self::Exact
        } else {
            Self::AtLeast
        }
    }

    /// The peak in words. `recorded` is in bytes.
    pub(super) fn peak(self, recorded: u64) -> String {
        let recorded = units::bytes(recorded);
        match self {
            Self::Exact => recorded,
            Self::AtLeast => format!("at least {recorded}"),
            Self::AtMost => format!("at most {recorded}"),
            Self::UpTo(at_most) => {
                let at_most = units::bytes(at_most);
                if at_most == recorded {
                    return recorded;
                }
                format!("at least {recorded} and at most {at_most}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_that_is_not_exact_says_so_and_how_far_it_may_be_off() {
        let mib = |mib: u64| mib << 20;
        assert_eq!(Certainty::Exact.peak(mib(65)), "65.00 MiB");
        assert_eq!(Certainty::AtLeast.peak(mib(65)), "at least 65.00 MiB");
        assert_eq!(Certainty::AtMost.peak(mib(3)), "at most 3.00 MiB");
        let bounded = Certainty::UpTo(mib(88)).peak(mib(65));
        assert_eq!(bounded, "at least 65.00 MiB and at most 88.00 MiB");
        assert_eq!(Certainty::UpTo(mib(65) + 1).peak(mib(65)), "65.00 MiB");
    }

    #[test]
    fn the_system_has_a_mark_of_the_resident_memory_of_one_process() {
        assert_eq!(Certainty::of_samples(Backend::Rss, false), Certainty::Exact);
        for (backend, is_of_several) in [(Backend::Rss, true), (Backend::Pss, false)] {
            let certainty = Certainty::of_samples(backend, is_of_several);
            assert_eq!(certainty, Certainty::AtLeast);
        }
    }
}
