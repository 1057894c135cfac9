//! A chart as an HTML page, with its figures in tables.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::curve::Of;
use super::frame::Theme;
use super::phase_table::{PhaseTable, TableStyle};
use super::svg::svg;
use super::{COLORS, Chart};
use crate::units;

const STYLE: &str = ":root{color-scheme:light dark}\
    body{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:14px;line-height:1.45;\
    max-width:760px;margin:24px auto;padding:0 16px}\
    table{border-collapse:collapse;margin-top:20px;font-variant-numeric:tabular-nums}\
    caption{text-align:left;font-weight:600;padding-bottom:4px}\
    th,td{padding:3px 14px 3px 0;text-align:right;border-bottom:1px solid rgba(128,128,128,.25)}\
    th:first-child,td:first-child{text-align:left}\
    th{font-weight:500;opacity:.75}\
    i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:7px}";

/// A page with the chart, a table of its processes and a table of its phases.
pub fn html(chart: &Chart) -> Markup {
    let title = if chart.title.is_empty() {
        "Memory over time"
    } else {
        &chart.title
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (svg(chart, Theme::Page))
                (processes(chart))
                @if !chart.phases.is_empty() {
                    (PhaseTable::of(chart, usize::MAX).html(&TableStyle::PAGE))
                }
            }
        }
    }
}

fn processes(chart: &Chart) -> Markup {
    let (caption, each) = if chart.curves.iter().any(|curve| curve.of == Of::Heap) {
        ("Memory", "memory")
    } else {
        ("Processes", "process")
    };
    html! {
        table {
            caption { (caption) }
            thead { tr { th { (each) } th { "peak" } th { "at" } } }
            tbody {
                @for curve in &chart.curves {
                    tr {
                        td { (color(curve.color)) (curve.name) }
                        td { (chart.memory.size(curve.peak.memory)) }
                        td { (seconds(curve.peak.time)) }
                    }
                }
            }
        }
    }
}

fn color(color: usize) -> Markup {
    html! { i style=(format!("background:{}", COLORS[color])) {} }
}

fn seconds(seconds: f64) -> String {
    units::time(seconds * 1e9, 4)
}
