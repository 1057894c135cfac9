//! `%mprof` as a card.

use maud::{Markup, html};

use super::mprof_text::{self, MOST_PHASES};
use super::{card, figure, notes};
use crate::chart::{self, Chart, PhaseTable, TableStyle, Theme};
use crate::result::MprofResult;
use crate::units;

const TABLE: TableStyle = TableStyle {
    table: Some(
        "table-layout:auto;width:auto;margin:10px 0 0;border-collapse:collapse;border:none;\
         font-size:12px;color:inherit",
    ),
    head: Some("border-bottom:1px solid rgba(128,128,128,.35)"),
    // Overrides the background that JupyterLab gives to every other row.
    row: Some("background:none"),
    cell: "padding:2px 0 2px 22px;text-align:right;white-space:nowrap;border:none;\
           background:none;font-weight:400;color:inherit;",
    name: "text-align:left;padding-left:0;",
    swatch: "display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:6px;",
    longest_name: 40,
    bare: true,
};

pub(super) fn html(result: &MprofResult, title: Option<&str>) -> Markup {
    let chart = Chart::of_timeline(&result.measurement, title);
    card::of_chart(
        &mprof_text::summary(result),
        &html! {
            @if let Some(stopped) = notes::stopped(result) { (card::warning(&stopped)) }
            (card::headline(&html! {
                (sizes(result))
                (amount("time", &mprof_text::time(result.measurement.wall_ns)))
            }))
            @if let Some(chart) = &chart {
                (figure::figure(&chart.description(), |theme| chart::svg(chart, theme)))
                (phases(&PhaseTable::of(chart, MOST_PHASES)))
            }
            (card::notes(&[mprof_text::sampling(result)]))
            (card::notes(&notes::of_timeline(result)))
        },
    )
}

/// The card of an unfinished measurement. It needs no image: it is redrawn several times a second,
/// and never part of an untrusted file.
pub(super) fn preview(result: &MprofResult, title: Option<&str>) -> Markup {
    let chart = Chart::of_timeline(&result.measurement, title);
    let running = mprof_text::running(result);
    card::of_chart(
        &running,
        &html! {
            (card::headline(&html! {
                (amount("running", &mprof_text::time(result.measurement.wall_ns)))
                (sizes(result))
            }))
            @if let Some(chart) = &chart {
                div style="margin-top:8px" { (chart::svg(chart, Theme::Page)) }
            }
        },
    )
}

fn sizes(result: &MprofResult) -> Markup {
    html! {
        (card::figure("peak memory", &units::mib_number(result.peak_memory), "MiB"))
        (card::figure("increment", &units::mib_number(result.increment), "MiB"))
        (amount("heap peak", &units::bytes(result.heap_peak)))
    }
}

/// A figure with its unit. `1min 3s` has several units and is a number as a whole.
fn amount(label: &str, amount: &str) -> Markup {
    let unit = amount
        .split_once(' ')
        .filter(|(_, unit)| !unit.contains(|c: char| c.is_ascii_digit()));
    let (number, unit) = unit.unwrap_or((amount, ""));
    card::figure(label, number, unit)
}

fn phases(table: &PhaseTable) -> Markup {
    html! {
        @if !table.rows.is_empty() {
            div style="overflow-x:auto" { (table.html(&TABLE)) }
            @if let Some(more) = table.more() { (card::notes(&[more])) }
        }
    }
}

#[cfg(test)]
mod tests {
    use memit_measurement::{Failure, FailureKind, TimelineMeasurement};
    use memit_measurement::{Point, Series, Span};
    use proptest::prelude::*;

    use super::super::samples::mprof;
    use super::*;

    fn card(change: impl FnOnce(&mut TimelineMeasurement)) -> String {
        html(&mprof(change), Some("%mprof sort()")).into_string()
    }

    /// The `svg` element of a card.
    fn drawing(card: &str) -> &str {
        let from = card.find("<svg").unwrap();
        &card[from..card.find("</svg>").unwrap()]
    }

    #[test]
    fn a_card_has_figures_a_drawing_and_a_table() {
        let card = card(|_| ());
        assert!(card.starts_with(
            "<div role=\"group\" aria-label=\"peak memory: 155.00 MiB, increment: 150.00 MiB\""
        ));
        for figure in ["155.00 <span", "150.00 <span", "149.00 <span", "1.3 <span"] {
            assert!(card.contains(figure), "{figure}");
        }
        let drawing = drawing(&card);
        assert!(drawing.contains("role=\"img\""));
        assert!(drawing.contains("<desc>Memory over 1.3 s. RSS: peak 155.00 MiB at 800 ms."));
        assert!(drawing.contains("Phases: load data.csv 0.400 s, peak 105.00 MiB; sort 0.700 s"));
        assert!(drawing.contains(">Memory over time: %mprof sort()<"));
        for text in [
            "RSS, peak 155.00 MiB",
            "heap, peak 150.00 MiB",
            "merge 0.015 s, peak 155.00 MiB",
        ] {
            assert!(drawing.contains(&format!(">{text}</text>")), "{text}");
        }
        let (_, table) = card.split_once("<table").unwrap();
        assert!(table.contains("padding-left:16px"), "merge is indented");
        assert!(table.contains(">130 samples, every 10 ms<"));
        assert!(!card.contains("<style") && !card.contains("class="));
    }

    #[test]
    fn the_image_for_untrusted_notebooks_says_the_same() {
        let card = card(|_| ());
        let (_, image) = card.split_once("<img ").unwrap();
        let (image, _) = image.split_once('>').unwrap();
        assert!(image.starts_with("alt=\"Memory over 1.3 s. RSS: peak 155.00 MiB at 800 ms."));
        assert!(image.contains("%3Epeak 155.00 MiB%3C/text%3E"));
        assert!(image.contains("color='%23787878'"));
    }

    #[test]
    fn phases_have_the_colours_of_their_brackets_and_none_that_of_the_heap() {
        let card = card(|measured| {
            let span = measured.spans[0].clone();
            measured.spans = (0..20)
                .map(|number| Span {
                    label: format!("phase {number}"),
                    ..span.clone()
                })
                .collect();
        });
        let heap = "#7d8590";
        let (drawing, table) = (drawing(&card), card.split_once("<table").unwrap().1);
        assert!(drawing.contains(heap) && !table.contains(heap));
        assert_eq!(table.matches("background:#d9730d").count(), 4);
        assert!(drawing.contains(">phase 19 0.400 s, peak 105.00 MiB</text>"));
    }

    #[test]
    fn an_unfinished_phase_has_a_bracket_at_its_start_alone() {
        let bracket = |unfinished| {
            let card = card(|measured| {
                measured.spans.truncate(1);
                measured.spans[0].unfinished = unfinished;
            });
            let elements: Vec<&str> = drawing(&card).split("><").collect();
            let path = |element: &&&str| {
                element.ends_with("stroke=\"#d9730d\" stroke-width=\"2\"")
                    && element.starts_with("path")
            };
            let sides = elements.iter().find(path).unwrap().matches('M').count();
            (
                sides,
                card.contains("load data.csv: 400 ms (unfinished), peak"),
            )
        };
        assert_eq!(bracket(false), (2, false));
        assert_eq!(bracket(true), (1, true));
    }

    #[test]
    fn a_phase_of_another_thread_has_a_lane_of_its_own() {
        let card = card(|measured| {
            let merge = measured.spans.iter_mut().find(|span| span.label == "merge");
            let merge = merge.unwrap();
            (merge.thread, merge.level) = (1, 0);
        });
        let (drawing, table) = (drawing(&card), card.split_once("<table").unwrap().1);
        assert!(drawing.contains(">thread 2</text>"));
        assert!(drawing.contains("<title>merge (thread 2): 15 ms, peak 155.00 MiB</title>"));
        // Bars are above those of the first thread, which are all in one lane.
        let bars = drawing.matches("height=\"16\" rx=\"2\"").count();
        assert_eq!(bars, 3);
        let tops: std::collections::BTreeSet<&str> = drawing
            .split("<rect ")
            .filter(|rect| rect.contains("rx=\"2\""))
            .filter_map(|rect| rect.split_once(" y=\"")?.1.split('"').next())
            .collect();
        assert_eq!(tops.len(), 2, "{tops:?}");
        assert!(table.contains("merge (thread 2)") && !table.contains("padding-left:16px"));
    }

    #[test]
    fn the_reason_for_an_early_stop_comes_first() {
        let card = card(|measured| {
            measured.failure = Some(Failure {
                cause: FailureKind::TimedOut { seconds: 2.0 },
                peak_rss: None,
                threads: 1,
                in_place: false,
                needs_fresh: false,
            });
        });
        let warning = card.find("stopped early: the statement took longer than 2 s");
        assert!(warning.is_some() && warning < card.find("peak memory</div>"));
    }

    #[test]
    fn names_are_escaped_and_long_ones_shortened() {
        let card = card(|measured| {
            measured.spans[0].label = format!("<b>{}", "x".repeat(100));
            measured.spans[1].label = "Vec<u8>::push".to_owned();
        });
        assert!(card.contains("Vec&lt;u8&gt;::push") && !card.contains("<b>x"));
        assert!(card.contains(&format!("&lt;b&gt;{}…</td>", "x".repeat(36))));
    }

    #[test]
    fn a_preview_says_that_it_is_one_and_is_drawn_once() {
        let preview = preview(&mprof(|_| ()), None).into_string();
        assert!(preview.starts_with("<div role=\"group\" aria-label=\"running: 1.3 s\""));
        assert!(preview.contains("<svg") && !preview.contains("<img"));
        assert!(!preview.contains("<table"));
    }

    #[test]
    fn the_longest_run_is_a_card_of_moderate_size() {
        let card = card(|measured| {
            let points = (0..4_096).map(|at: u64| Point {
                time_ns: at * 10_000_000,
                bytes: (at * 7_919) % 104_729 * 4_096,
            });
            measured.rss = Series::of(points);
            measured.heap = measured.rss.clone();
        });
        assert!(card.len() < 400_000, "{} bytes", card.len());
    }

    proptest! {
        #[test]
        fn the_mark_is_the_exact_peak(
            sizes in prop::collection::vec(0_u64..1 << 40, 1..3_000),
            step in 1_u64..10_000_000_000,
        ) {
            let highest = *sizes.iter().max().unwrap();
            let card = card(|measured| {
                measured.rss = Series::of(sizes.iter().enumerate().map(|(at, bytes)| Point {
                    time_ns: at as u64 * step,
                    bytes: *bytes,
                }));
                measured.spans.clear();
            });
            let shown = [units::mib(highest), units::bytes(highest)];
            let drawing = drawing(&card);
            let marked = shown.iter().any(|size| drawing.contains(&format!(">peak {size}</text>")));
            prop_assert!(marked, "{:?}", shown);
        }
    }
}
