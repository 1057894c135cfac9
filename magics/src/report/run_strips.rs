//! The memory of each run as a strip: the baseline and the increment.

use maud::{Markup, html};
use memit_measurement::MemoryRun;

use super::card::{self, ACCENT};
use crate::units;

/// The number of runs with a strip of their own; one line sums up the others.
const STRIPS: usize = 8;

const GRID: &str = "display:grid;grid-template-columns:auto 1fr auto;gap:3px 10px;\
    align-items:center;margin-top:8px;font-size:12px";

const STRIP: &str = "display:flex;height:9px;border-radius:2px;overflow:hidden;\
    background:rgba(128,128,128,.12)";

/// Strips on one scale, from zero to the highest peak.
pub(super) fn strips(runs: &[MemoryRun]) -> Markup {
    let scale = runs
        .iter()
        .map(|run| run.peak_rss)
        .max()
        .unwrap_or_default();
    let (shown, summed_up) = runs.split_at(runs.len().min(STRIPS));
    html! {
        div style=(GRID) {
            @for (index, run) in shown.iter().enumerate() {
                div style="opacity:.75" { "run " (index + 1) }
                (strip(run, scale))
                div style="text-align:right;white-space:nowrap" {
                    (units::mib_number(run.baseline_rss)) " + " b { (units::mib(run.increment)) }
                }
            }
        }
        @if let Some(line) = summary(summed_up) {
            div style="margin-top:3px;font-size:12px;opacity:.75" { (line) }
        }
        div style=(card::KEYS) {
            (card::key("currentColor", ".35", "baseline, before the run"))
            (card::key(ACCENT, "1", "increment"))
        }
    }
}

fn strip(run: &MemoryRun, scale: u64) -> Markup {
    let description = format!(
        "baseline {}, peak {}",
        units::mib(run.baseline_rss),
        units::mib(run.peak_rss)
    );
    html! {
        div role="img" aria-label=(description) title=(description) style=(STRIP) {
            (card::part(run.baseline_rss, scale, "currentColor", ".35"))
            (card::part(run.increment, scale, ACCENT, "1"))
        }
    }
}

fn summary(runs: &[MemoryRun]) -> Option<String> {
    let increments = runs.iter().map(|run| run.increment);
    let lowest = units::mib(increments.clone().min()?);
    let highest = units::mib(increments.max()?);
    let more = units::counted(&units::count(runs.len() as u64), "more run");
    Some(if lowest == highest {
        format!("{more}: increment {lowest}")
    } else {
        format!("{more}: increments from {lowest} to {highest}")
    })
}
