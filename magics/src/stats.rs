//! Statistics of a set of runs. Without runs, each statistic is 0.

/// The sum, compensated for the rounding error of each addition.
///
/// `IPython` sums with Python's `fsum`, which is exact. This is the compensated sum of Neumaier
/// ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974). For
/// values of one sign, such as times, its error is about one rounding.
pub fn sum(values: &[f64]) -> f64 {
    let mut sum = 0.0_f64;
    let mut lost = 0.0;
    for &value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() {
            (sum - next) + value
        } else {
            (value - next) + sum
        };
        sum = next;
    }
    sum + lost
}

/// The arithmetic mean.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    sum(values) / values.len() as f64
}

/// The standard deviation of a whole population (divided by `n`, not by `n - 1`), as in `IPython`'s
/// `%timeit`.
pub fn standard_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    self::mean(&squares).sqrt()
}

/// The lowest value.
pub fn best(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::min).unwrap_or_default()
}

/// The highest value.
pub fn worst(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::max).unwrap_or_default()
}

/// The item with the highest key, the first of equals.
pub(crate) fn highest_by<T, K: PartialOrd>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Option<T> {
    items.into_iter().reduce(|highest, item| {
        if key(&item) > key(&highest) {
            item
        } else {
            highest
        }
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact in binary")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_value_survives_between_large_ones() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
    }

    #[test]
    fn statistics_of_a_known_population() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), 5.0);
        assert_eq!(standard_deviation(&values), 2.0);
        assert_eq!(best(&values), 2.0);
        assert_eq!(worst(&values), 9.0);
    }

    #[test]
    fn one_run_has_no_deviation() {
        assert_eq!(mean(&[11.2]), 11.2);
        assert_eq!(standard_deviation(&[11.2]), 0.0);
    }

    #[test]
    fn no_runs_give_zero() {
        for statistic in [mean, standard_deviation, best, worst] {
            assert_eq!(statistic(&[]), 0.0);
        }
    }

    proptest! {
        #[test]
        fn the_mean_lies_between_best_and_worst(values in prop::collection::vec(0.0..1e12f64, 1..50)) {
            let slack = worst(&values) * 1e-12;
            prop_assert!(mean(&values) >= best(&values) - slack);
            prop_assert!(mean(&values) <= worst(&values) + slack);
        }
    }
}
