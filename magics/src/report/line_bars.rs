//! The memory or the time of a line as a bar. All bars of a function have one scale.

use maud::{Markup, html};
use memit_lines::{Figures, Function};

use super::card::{ACCENT, colored, percent};

/// The colour of freed memory.
const FREED: &str = "#2e9e6b";

const PEAK_OPACITY: &str = ".4";

const BAR: &str = "display:flex;width:80px;height:9px";

/// The scale of a function's bars, in bytes to the left and to the right of zero.
pub(super) struct MemoryScale {
    freed: u64,
    taken: u64,
}

impl MemoryScale {
    pub(super) fn of(function: &Function) -> Self {
        let highest = |size: fn(&Figures) -> u64| function.figures().map(size).max();
        Self {
            freed: highest(freed).unwrap_or_default(),
            taken: highest(|figures| taken(figures).max(figures.peak)).unwrap_or_default(),
        }
    }

    /// Freed memory to the left; allocated memory and, paler, the peak to the right.
    pub(super) fn bar(&self, figures: &Figures) -> Markup {
        let left = percent(self.freed, self.freed.saturating_add(self.taken));
        let taken = taken(figures);
        html! {
            div aria-hidden="true" style=(BAR) {
                @if self.freed > 0 {
                    div style={
                        "display:flex;justify-content:flex-end;box-sizing:border-box;width:"
                        (format!("{left:.1}")) "%;border-right:1px solid rgba(128,128,128,.5)"
                    } {
                        (part(freed(figures), self.freed, FREED, "1"))
                    }
                }
                div style="display:flex;flex:1" {
                    (part(taken, self.taken, ACCENT, "1"))
                    (part(figures.peak.saturating_sub(taken), self.taken, ACCENT, PEAK_OPACITY))
                }
            }
        }
    }

    /// The meaning of the colours that occur.
    pub(super) fn key(&self) -> Markup {
        html! {
            @if self.taken > 0 {
                (super::card::key(ACCENT, "1", "increment"))
                (super::card::key(ACCENT, PEAK_OPACITY, "peak while the line ran"))
            }
            @if self.freed > 0 { (super::card::key(FREED, "1", "freed")) }
        }
    }
}

/// A bar of `percent` of the full width.
pub(super) fn percent_bar(percent: f64) -> Markup {
    let visible = if percent > 0.0 { "2px" } else { "0" };
    html! {
        div aria-hidden="true" style={ (BAR) ";background:rgba(128,128,128,.12)" } {
            div style={
                "width:" (format!("{percent:.1}")) "%;min-width:" (visible) ";" (colored("background", ACCENT))
            } {}
        }
    }
}

fn part(size: u64, scale: u64, color: &str, opacity: &str) -> Markup {
    html! { @if size > 0 { (super::card::part(size, scale, color, opacity)) } }
}

fn taken(figures: &Figures) -> u64 {
    u64::try_from(figures.increment).unwrap_or_default()
}

fn freed(figures: &Figures) -> u64 {
    if figures.increment < 0 {
        figures.increment.unsigned_abs()
    } else {
        0
    }
}
