//! Finds the peaks that came and went between samples.
//!
//! Samples see the memory of a process at moments. The system keeps a high-water mark besides, which
//! takes longer to read, so that only some samples look at the mark. A mark above all samples so far
//! says that there was a peak since the last look, and how high, but not when. The finder puts the
//! peak beside the highest sample since the last look.

use std::time::Duration;

/// Time between looks at the mark. A peak is known to be within this time.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Memory at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Time since the start of sampling.
    pub at: Duration,
    /// Memory in bytes.
    pub bytes: u64,
}

/// See the [module](self). Does not allocate.
#[derive(Debug, Clone, Default)]
pub struct PeakFinder {
    looked: Option<Duration>,
    last: Option<Sample>,
    /// Since the last look, whose own sample is the first.
    recent: Option<Highest>,
    /// Of all samples and peaks.
    highest: u64,
}

/// The highest of some samples, the first of equals, with its neighbours.
#[derive(Debug, Clone, Copy)]
struct Highest {
    before: Option<Sample>,
    sample: Sample,
    after: Option<Sample>,
}

impl PeakFinder {
    /// Whether a sample at `now` is to look at the mark.
    pub fn must_look(&self, now: Duration) -> bool {
        self.looked.is_none_or(|looked| now >= looked + LOOK_EVERY)
    }

    /// The most samples from one look to the next, and a peak among them.
    pub fn samples_between_looks(interval: Duration) -> usize {
        let samples = LOOK_EVERY.as_nanos() / interval.as_nanos().max(1);
        usize::try_from(samples).unwrap_or(0) + 2
    }

    /// Adds a sample, which is not earlier than the others.
    pub fn push(&mut self, sample: Sample) {
        self.highest = self.highest.max(sample.bytes);
        match &mut self.recent {
            Some(recent) if sample.bytes <= recent.sample.bytes => {
                recent.after.get_or_insert(sample);
            }
            recent => {
                let before = recent.and(self.last);
                *recent = Some(Highest::alone(sample).behind(before));
            }
        }
        self.last = Some(sample);
    }

    /// The last sample has looked at the mark. Returns the peak since the last look, if `mark` is
    /// above all samples and peaks so far.
    pub fn look(&mut self, mark: Option<u64>) -> Option<Sample> {
        let last = self.last?;
        let recent = self.recent.replace(Highest::alone(last))?;
        self.looked = Some(last.at);
        let bytes = mark.filter(|mark| *mark > self.highest)?;
        self.highest = bytes;
        let at = recent.beside();
        Some(Sample { at, bytes })
    }

    /// The middle of the time since the last look, for a peak that may lie anywhere in that time.
    pub fn middle(&self, now: Duration) -> Duration {
        let looked = self.looked.unwrap_or(now);
        looked + now.saturating_sub(looked) / 2
    }

    /// The highest of all samples and peaks so far, in bytes.
    pub fn highest(&self) -> u64 {
        self.highest
    }
}

impl Highest {
    fn alone(sample: Sample) -> Self {
        Self {
            before: None,
            sample,
            after: None,
        }
    }

    fn behind(self, before: Option<Sample>) -> Self {
        Self { before, ..self }
    }

    /// Half-way to the sample after, or, if there is none, from the sample before.
    fn beside(&self) -> Duration {
        let neighbour = self.after.or(self.before).unwrap_or(self.sample);
        let (one, other) = (neighbour.at, self.sample.at);
        one.min(other) + one.abs_diff(other) / 2
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn ms(milliseconds: u32) -> Duration {
        milliseconds * MILLISECOND
    }

    fn sample(at: Duration, bytes: u64) -> Sample {
        Sample { at, bytes }
    }

    /// A process whose memory changes at known moments. The first is its start.
    struct Process(Vec<Sample>);

    impl Process {
        /// From milliseconds and bytes.
        fn new(steps: &[(u32, u64)]) -> Self {
            Self(
                steps
                    .iter()
                    .map(|(at, bytes)| sample(ms(*at), *bytes))
                    .collect(),
            )
        }

        fn until(&self, now: Duration) -> impl Iterator<Item = u64> {
            let steps = self.0.iter().filter(move |step| step.at <= now);
            steps.map(|step| step.bytes)
        }

        fn memory(&self, now: Duration) -> u64 {
            self.until(now).last().unwrap_or(0)
        }

        fn mark(&self, now: Duration) -> u64 {
            self.until(now).max().unwrap_or(0)
        }
    }

    /// What a sampler with a clock of its own finds.
    #[derive(Debug, Default)]
    struct Found {
        samples: Vec<Sample>,
        peaks: Vec<Sample>,
        looks: Vec<Duration>,
        finder: PeakFinder,
    }

    fn watch(process: &Process, interval: Duration, end: Duration) -> Found {
        let mut found = Found::default();
        let mut now = Duration::ZERO;
        while now < end {
            let sample = sample(now, process.memory(now));
            let must_look = found.finder.must_look(now);
            found.finder.push(sample);
            found.samples.push(sample);
            if must_look {
                found.looks.push(now);
                found
                    .peaks
                    .extend(found.finder.look(Some(process.mark(now))));
            }
            now += interval;
        }
        found
    }

    #[test]
    fn a_block_that_lives_between_two_samples_is_found_between_them() {
        let process = Process::new(&[(0, 10), (150, 160), (151, 10)]);
        let found = watch(&process, ms(100), ms(400));
        assert!(found.samples.iter().all(|sample| sample.bytes == 10));
        assert_eq!(found.peaks, [sample(ms(150), 160)]);
        assert_eq!(found.finder.highest(), 160);
    }

    #[test]
    fn memory_that_a_sample_has_seen_is_no_peak() {
        let process = Process::new(&[(0, 10), (95, 100), (205, 20)]);
        let found = watch(&process, ms(100), ms(400));
        assert_eq!(found.peaks, []);
        assert_eq!(found.finder.highest(), 100);
    }

    #[test]
    fn a_peak_is_found_once() {
        let process = Process::new(&[
            (0, 10),
            (51, 90),
            (52, 10),
            (151, 80),
            (152, 10),
            (251, 95),
            (252, 10),
        ]);
        let found = watch(&process, ms(100), ms(1000));
        // Below the first, the second peak is not in the mark.
        assert_eq!(found.peaks, [sample(ms(50), 90), sample(ms(250), 95)]);
    }

    #[test]
    fn close_samples_look_now_and_then_and_put_the_peak_beside_the_highest() {
        let process = Process::new(&[(0, 10), (12, 50), (13, 10)]);
        let found = watch(&process, MILLISECOND / 2, ms(30));
        let looks: Vec<_> = (0..6).map(|look| ms(5 * look)).collect();
        assert_eq!(found.looks, looks);
        assert_eq!(found.peaks, [], "two samples have seen it");

        // The same, but higher for a moment that no sample has seen.
        let mut process = process;
        let moment = ms(12) + MILLISECOND / 4;
        process.0.insert(2, sample(moment, 70));
        process.0.insert(3, sample(moment + MILLISECOND / 8, 50));
        let found = watch(&process, MILLISECOND / 2, ms(30));
        assert_eq!(found.peaks, [sample(moment, 70)]);
    }

    #[test]
    fn behind_the_highest_sample_there_may_be_none_yet() {
        let mut finder = PeakFinder::default();
        finder.push(sample(ms(0), 10));
        assert_eq!(finder.look(Some(10)), None);
        finder.push(sample(ms(1), 20));
        finder.push(sample(ms(5), 60));
        assert_eq!(finder.look(Some(70)), Some(sample(ms(3), 70)));
    }

    #[test]
    fn a_peak_before_the_first_sample_is_put_at_it() {
        let mut finder = PeakFinder::default();
        finder.push(sample(ms(7), 10));
        assert_eq!(finder.look(Some(70)), Some(sample(ms(7), 70)));
        assert_eq!(finder.middle(ms(9)), ms(8));
    }

    #[test]
    fn a_process_without_a_mark_has_no_peaks_but_samples() {
        let mut finder = PeakFinder::default();
        assert_eq!(finder.look(None), None);
        for (at, bytes) in [(0, 10), (5, 30), (10, 20)] {
            finder.push(sample(ms(at), bytes));
            assert_eq!(finder.look(None), None);
        }
        assert_eq!(finder.highest(), 30);
    }

    proptest! {
        /// Whatever the process does and however often it is sampled.
        #[test]
        fn at_a_look_the_highest_is_exact_and_peaks_lie_between_looks(
            steps in prop::collection::vec((1_u32..40, 0_u64..1000), 1..60),
            interval in 1_u32..50,
        ) {
            let mut at = 0;
            let steps: Vec<_> = steps.into_iter().map(|(pause, bytes)| { at += pause; (at, bytes) }).collect();
            let process = Process::new(&steps);
            let found = watch(&process, ms(interval), ms(at + 60));
            let look = *found.looks.last().unwrap();
            let seen = found.samples.iter().chain(&found.peaks);
            let seen = seen.filter(|sample| sample.at <= look).map(|sample| sample.bytes);
            prop_assert_eq!(seen.max(), Some(process.mark(look)));
            for peak in &found.peaks {
                let when = process.0.iter().find(|step| step.bytes == peak.bytes).unwrap().at;
                let between = found.looks.windows(2).find(|looks| looks[0] < when && when <= looks[1]);
                let between = between.unwrap();
                prop_assert!(between[0] <= peak.at && peak.at <= between[1], "{peak:?} {between:?}");
            }
        }
    }
}
