//! `%time` as a card.

use maud::{Markup, html};

use super::{card, once_text};
use crate::result::TimeResult;
use crate::units;

pub(super) fn html(result: &TimeResult) -> Markup {
    let figures = html! {
        (time("wall time", result.wall_ns))
        (time("CPU time", result.user_ns + result.system_ns))
        @if let Some(increment) = result.increment {
            (card::figure("increment", &units::mib_number(increment), "MiB"))
        }
    };
    card::card(
        &once_text::times(result),
        &html! {
            (card::headline(&figures))
            (card::detail(&once_text::cpu_times(result)))
            (card::detail(&once_text::times(result)))
            (card::detail(&once_text::memory(result)))
            (card::detail(&once_text::heap(result)))
        },
    )
}

/// A time as a large number.
fn time(label: &str, ns: u64) -> Markup {
    let text = once_text::time(ns);
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    card::figure(label, number, unit)
}
