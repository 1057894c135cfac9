//! Samples in bounded memory, with every extreme kept.

use memit_measurement::Point;

/// Number of buckets beyond which neighbours are merged.
const ROOM: usize = 2048;

/// A series of points in order of time. A short series keeps every point; a longer one keeps the
/// lowest and the highest of each group of neighbours.
#[derive(Debug, Clone)]
pub(super) struct Thinned {
    buckets: Vec<Bucket>,
    /// Number of points in a full bucket.
    width: u64,
    /// Number of points in the last bucket.
    filled: u64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    lowest: Point,
    highest: Point,
}

impl Bucket {
    fn of(point: Point) -> Self {
        Self {
            lowest: point,
            highest: point,
        }
    }

    /// Adds a later bucket. The first of equal points is kept.
    fn add(&mut self, later: Self) {
        if later.lowest.bytes < self.lowest.bytes {
            self.lowest = later.lowest;
        }
        if later.highest.bytes > self.highest.bytes {
            self.highest = later.highest;
        }
    }

    fn points(self) -> impl Iterator<Item = Point> {
        let is_one = self.lowest == self.highest;
        let (first, second) = if self.lowest.time_ns <= self.highest.time_ns {
            (self.lowest, self.highest)
        } else {
            (self.highest, self.lowest)
        };
        std::iter::once(first).chain((!is_one).then_some(second))
    }
}

impl Thinned {
    /// An empty series, with all the memory that it will ever need.
    pub(super) fn new() -> Self {
        Self {
            buckets: Vec::with_capacity(ROOM),
            width: 1,
            filled: 0,
        }
    }

    /// Adds a point, which must not be earlier than the others.
    pub(super) fn push(&mut self, point: Point) {
        let last = self.buckets.last_mut();
        if let Some(last) = last.filter(|_| self.filled < self.width) {
            last.add(Bucket::of(point));
            self.filled += 1;
            return;
        }
        if self.buckets.len() == ROOM {
            merge_pairs(&mut self.buckets);
            self.width *= 2;
        }
        self.buckets.push(Bucket::of(point));
        self.filled = 1;
    }

    /// The kept points in order of time, at most about twice as many as `most`.
    pub(super) fn points(&self, most: usize) -> Vec<Point> {
        let mut buckets = self.buckets.clone();
        while buckets.len() > most.max(1) {
            merge_pairs(&mut buckets);
        }
        buckets.into_iter().flat_map(Bucket::points).collect()
    }
}

fn merge_pairs(buckets: &mut Vec<Bucket>) {
    let pairs = buckets.len().div_ceil(2);
    for at in 0..pairs {
        let mut merged = buckets[2 * at];
        if let Some(later) = buckets.get(2 * at + 1) {
            merged.add(*later);
        }
        buckets[at] = merged;
    }
    buckets.truncate(pairs);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thinned(sizes: &[u64]) -> Thinned {
        let mut thinned = Thinned::new();
        for (time_ns, bytes) in (0..).zip(sizes) {
            thinned.push(Point {
                time_ns,
                bytes: *bytes,
            });
        }
        thinned
    }

    #[test]
    fn a_short_series_keeps_every_sample() {
        let sizes: Vec<u64> = (0..ROOM as u64).map(|at| at * 7 % 13).collect();
        let points = thinned(&sizes).points(usize::MAX);
        assert_eq!(points.len(), ROOM);
        assert!(points.iter().map(|point| point.bytes).eq(sizes));
    }

    #[test]
    fn a_spike_among_a_million_samples_is_kept_where_it_was() {
        let mut sizes = vec![10; 1_000_000];
        sizes[654_321] = 99;
        sizes[654_322] = 1;
        let thinned = thinned(&sizes);
        for most in [usize::MAX, 500] {
            let points = thinned.points(most);
            assert!(points.len() <= 2 * ROOM.min(most), "{}", points.len());
            let has = |time_ns, bytes| points.contains(&Point { time_ns, bytes });
            assert!(has(654_321, 99) && has(654_322, 1));
        }
        assert_eq!(thinned.buckets.capacity(), ROOM);
    }

    proptest! {
        #[test]
        fn extremes_and_order_survive(
            sizes in prop::collection::vec(0_u64..1000, 1..20_000),
            most in 1_usize..3000,
        ) {
            let points = thinned(&sizes).points(most);
            let kept = || points.iter().map(|point| point.bytes);
            prop_assert_eq!(kept().max(), sizes.iter().copied().max());
            prop_assert_eq!(kept().min(), sizes.iter().copied().min());
            prop_assert!(points.is_sorted_by(|one, other| one.time_ns < other.time_ns));
            for point in &points {
                let at = usize::try_from(point.time_ns).unwrap();
                prop_assert_eq!(sizes[at], point.bytes);
            }
        }
    }
}
