//! `%timeit` as a card.

use maud::{Markup, html};

use super::{card, notes, run_axis, time_text};
use crate::result::TimeitResult;

pub(super) fn html(result: &TimeitResult) -> Markup {
    let figures = card::figure(
        &time_text::extent(result),
        &time_text::mean(result),
        "per loop",
    );
    card::card(
        &time_text::summary(result),
        &html! {
            @for warning in notes::spread(result).iter().chain(&notes::removed_work(result)) {
                (card::warning(warning))
            }
            (card::headline(&figures))
            (run_axis::axis(result))
            @if let Some(memory) = &result.memory { (card::detail(&time_text::memory(memory))) }
            (card::notes(&notes::of_time(result)))
        },
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use memit_measurement::TimeMeasurement;

    use super::super::samples::{measured_time, timeit};
    use super::*;

    fn card_of(all_runs: Vec<u64>) -> String {
        let result = timeit(TimeMeasurement {
            loops: 1,
            all_runs,
            ..measured_time()
        });
        html(&result).into_string()
    }

    #[test]
    fn seven_runs() {
        assert_snapshot!(html(&timeit(measured_time())).into_string());
    }

    #[test]
    fn one_run_that_the_compiler_removed() {
        let result = timeit(TimeMeasurement {
            loops: 1_000_000_000,
            all_runs: vec![1_000],
            memory: None,
            ..measured_time()
        });
        assert_snapshot!(html(&result).into_string());
    }

    #[test]
    fn identical_runs_are_one_dot() {
        let card = card_of(vec![5_000; 7]);
        assert!(card.contains("all 7 runs: 5 μs"));
        assert_eq!(card.matches("<circle").count(), 1);
    }

    #[test]
    fn a_warning_stands_before_the_figures() {
        let card = card_of(vec![2_000, 2_000, 12_000]);
        assert!(card.find("times longer than the fastest") < card.find("per loop</span>"));
        assert!(card.contains("worst 12 μs (+500.0%)"));
    }

    #[test]
    fn runs_too_short_for_the_clock_have_no_ratio() {
        let card = card_of(vec![0, 40]);
        assert!(card.contains("worst 40 ns<"));
        assert!(!card.contains("inf"));
    }
}
