//! `%mprun` as a card.

use maud::{Markup, html};
use memit_lines::{Figures, Function, memory_text};

use super::line_bars::MemoryScale;
use super::lines_html::{self, Column, Table};
use super::{card, lines_text, notes};
use crate::result::MprunResult;
use crate::units;

/// The columns have the order and the names of the text.
const COLUMNS: [Column; 5] = [
    Column {
        header: "Mem usage",
        meaning: "memory after the last execution of the line",
        span: 1,
    },
    Column {
        header: "Increment",
        meaning: "growth of memory in the line, summed over its executions",
        span: 2,
    },
    Column {
        header: "Peak",
        meaning: "highest memory above the start of the line, over all its executions",
        span: 1,
    },
    Column {
        header: "Allocs",
        meaning: "allocations in the line",
        span: 1,
    },
    Column {
        header: "Occurrences",
        meaning: "executions of the line",
        span: 1,
    },
];

pub(super) fn html(result: &MprunResult, precision: Option<usize>) -> Markup {
    let profile = &result.profile;
    let functions = profile.functions.iter();
    let tables: Vec<_> = functions
        .map(|function| table(function, precision))
        .collect();
    card::wide(
        &lines_text::memory_summary(profile),
        &html! {
            (lines_html::tables(profile, &tables))
            (card::notes(&notes::of_lines(profile)))
        },
    )
}

fn table(function: &Function, precision: Option<usize>) -> Markup {
    let scale = MemoryScale::of(function);
    let table = Table {
        function,
        columns: &COLUMNS,
        total: memory_text::total(function, precision),
        hottest: function.hottest_by_memory(),
    };
    html! {
        (table.html(|figures| cells(figures, &scale, precision)))
        div style=(card::KEYS) { (scale.key()) }
    }
}

fn cells(figures: &Figures, scale: &MemoryScale, precision: Option<usize>) -> Markup {
    let signed = |size: i64| {
        let text = units::signed_size(size, precision);
        lines_html::cell(
            &text,
            Some(&exact(size < 0, size.unsigned_abs())),
            size == 0,
        )
    };
    let peak = units::size(figures.peak, precision);
    let allocations = units::count(figures.allocations);
    html! {
        (signed(figures.memory))
        (signed(figures.increment))
        (lines_html::bar(&scale.bar(figures)))
        (lines_html::cell(&peak, Some(&exact(false, figures.peak)), figures.peak == 0))
        (lines_html::cell(&allocations, None, figures.allocations == 0))
        (lines_html::hits(figures))
    }
}

fn exact(negative: bool, size: u64) -> String {
    let sign = if negative { "-" } else { "" };
    format!("{sign}{}", units::counted(&units::count(size), "byte"))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use memit_lines::{Profile, Stopped};

    use super::super::line_samples::{function, histogram, idle, memory, mprun};
    use super::*;

    fn card(functions: Vec<Function>) -> String {
        html(&mprun(functions), None).into_string()
    }

    #[test]
    fn words_are_counted_and_dropped() {
        assert_snapshot!(card(vec![histogram()]));
    }

    #[test]
    fn a_run_in_place_that_stopped_early_and_a_function_never_called() {
        let mut stopped = histogram();
        stopped.stopped_at = Some(9);
        let mut result = mprun(vec![stopped, idle()]);
        result.profile = Profile {
            isolated: false,
            threads: 4,
            threaded: true,
            outlasting: 0,
            stopped: Some(Stopped {
                why: "memory passed 64.00 MiB on line 9 of `histogram`".to_owned(),
            }),
            ..result.profile
        };
        assert_snapshot!(html(&result, Some(1)).into_string());
    }
    #[test]
    fn bytes_are_exact_where_one_points() {
        let card = card(vec![histogram()]);
        assert!(card.contains("title=\"88,080,432 bytes\""));
        assert!(card.contains("title=\"-62,914,584 bytes\""));
    }

    #[test]
    fn a_function_never_called_has_no_bars_and_no_key() {
        let card = card(vec![idle()]);
        assert!(card.contains("Shape&lt;T&gt;::idle"));
        assert!(card.contains("src/shape &amp; co.rs"));
        assert!(card.contains("never called"));
        assert!(!card.contains("peak while the line ran"));
    }

    #[test]
    fn a_small_increment_beside_a_large_one_stays_visible() {
        let figures = [
            (1, memory(1, 1 << 40, 1 << 40, 1 << 40, 1)),
            (2, memory(1, 1, 1, 1, 1)),
        ];
        let card = card(vec![function("f", 1, "a();\nb();", &figures)]);
        assert!(card.contains("width:0.0%;min-width:2px"));
    }

    #[test]
    fn numbers_at_their_limits_are_shown() {
        let figures = memory(u64::MAX, i64::MIN, i64::MIN, u64::MAX, u64::MAX);
        let card = card(vec![function("f", 999_999, "a();", &[(999_999, figures)])]);
        assert!(card.contains("-8.00 EiB"));
        assert!(card.contains("16.00 EiB"));
    }

    #[test]
    fn no_functions() {
        assert!(card(Vec::new()).contains("no function was measured"));
    }
}
