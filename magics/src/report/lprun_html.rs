//! `%lprun` as a card.

use maud::{Markup, html};
use memit_lines::{Figures, Function, TimeText};

use super::lines_html::{self, Column, Table};
use super::{card, line_bars, lines_text, notes};
use crate::result::LprunResult;
use crate::units;

const COLUMNS: [Column; 4] = [
    Column {
        header: "% Time",
        meaning: "share of the time of the function",
        span: 2,
    },
    Column {
        header: "Time",
        meaning: "time in the line, summed over its executions",
        span: 1,
    },
    Column {
        header: "Per hit",
        meaning: "mean time of an execution",
        span: 1,
    },
    Column {
        header: "Hits",
        meaning: "executions of the line",
        span: 1,
    },
];

pub(super) fn html(result: &LprunResult, view: &TimeText) -> Markup {
    let profile = &result.profile;
    let unit = view
        .unit
        .map(|unit| format!("times in units of {} s", units::general(unit, 6)));
    let notes: Vec<String> = unit.into_iter().chain(notes::of_lines(profile)).collect();
    let tables: Vec<_> = view
        .shown(profile)
        .map(|function| table(function, view, profile.has_only_shares()))
        .collect();
    card::wide(
        &lines_text::time_summary(profile),
        &html! {
            (lines_html::tables(profile, &tables))
            (card::notes(&notes))
        },
    )
}

fn table(function: &Function, view: &TimeText, shares: bool) -> Markup {
    let time = function.time_ns();
    let total = if let Some(word) = memit_lines::notes::without_figures(function) {
        word
    } else {
        let calls = units::counted(&units::count(function.calls), "call");
        if shares {
            format!("total time: not known, {calls}")
        } else {
            format!("total time: {} in {calls}", units::time(time as f64, 3))
        }
    };
    let table = Table {
        function,
        columns: &COLUMNS,
        total,
        hottest: function.hottest_by_time(),
    };
    table.html(|figures| cells(figures, time, view, shares))
}

fn cells(figures: &Figures, total: u64, view: &TimeText, shares: bool) -> Markup {
    let percent = figures.percent_of(total);
    let part = percent.map_or_else(String::new, |percent| format!("{percent:.1}%"));
    let per_hit = figures.ns_per_hit();
    let per_hit = per_hit.map_or_else(String::new, |ns| time(ns, view));
    let nothing = figures.time_ns == 0;
    let exact = format!("{} ns", units::count(figures.time_ns));
    html! {
        (lines_html::cell(&part, None, nothing))
        (lines_html::bar(&line_bars::percent_bar(percent.unwrap_or_default())))
        @if shares {
            (lines_html::cell("", None, nothing))
            (lines_html::cell("", None, nothing))
        } @else {
            (lines_html::cell(&time(figures.time_ns as f64, view), Some(&exact), nothing))
            (lines_html::cell(&per_hit, None, nothing))
        }
        (lines_html::hits(figures))
    }
}

/// A time in the unit that fits, or a number in the unit that the user asked for.
fn time(ns: f64, view: &TimeText) -> String {
    match view.unit {
        None => units::time(ns, 3),
        Some(unit) => units::general(ns * (1e-9 / unit), 4),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::line_samples::{calculate_z, function, idle, lprun, time as figures};
    use super::*;

    fn card(functions: Vec<Function>) -> String {
        html(&lprun(functions), &TimeText::default()).into_string()
    }

    #[test]
    fn a_julia_set() {
        assert_snapshot!(card(vec![calculate_z()]));
    }
    #[test]
    fn times_in_a_unit_of_the_users() {
        let view = TimeText {
            unit: Some(1e-3),
            ..TimeText::default()
        };
        let card = html(&lprun(vec![calculate_z()]), &view).into_string();
        assert!(card.contains(">151.9</td>"));
        assert!(card.contains("times in units of 0.001 s"));
        assert!(card.contains("title=\"151,900,000 ns\""));
    }

    #[test]
    fn functions_that_never_ran_can_be_left_out() {
        let view = TimeText {
            strip_zeros: true,
            ..TimeText::default()
        };
        let card = html(&lprun(vec![idle(), calculate_z()]), &view).into_string();
        assert!(!card.contains("idle"));
        let card = html(&lprun(vec![idle()]), &view).into_string();
        assert!(card.contains("no function was called"));
    }

    #[test]
    fn a_line_that_ran_in_no_time_has_hits() {
        let card = card(vec![function("f", 1, "a();", &[(1, figures(1, 0))])]);
        assert!(card.contains(">0 ns</td>"));
        assert!(!card.contains("NaN"));
    }
}
