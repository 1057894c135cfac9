//! The frame of an HTML report, and the pieces that reports share.
//!
//! A card styles only itself. It takes text colour and fonts from the page, so it is legible in
//! light and dark themes. Its lines still make sense in a viewer that strips styles.

use maud::{Markup, html};

/// The colour of measured figures, in contrast to the text colour.
pub(super) const ACCENT: &str = "var(--jp-brand-color1, #2b7fd4)";

/// Sets a property to a colour. A colour of the page with a fallback, `var(--x, #000)`, is set
/// twice, with the fallback first: JupyterLab removes references to the page from untrusted
/// notebooks.
pub(super) fn colored(property: &str, color: &str) -> String {
    let named = color
        .strip_prefix("var(")
        .and_then(|rest| rest.strip_suffix(')'));
    match named.and_then(|named| named.split_once(", ")) {
        Some((_, fallback)) => format!("{property}:{fallback};{property}:{color}"),
        None => format!("{property}:{color}"),
    }
}

const FRAME: &str = "padding:10px 14px;\
    border:1px solid rgba(128,128,128,.35);border-radius:6px;\
    color:var(--jp-content-font-color1, inherit);\
    font-family:var(--jp-content-font-family, system-ui, sans-serif);\
    font-size:13px;line-height:1.45;font-variant-numeric:tabular-nums";

const LABEL: &str = "font-size:12px;opacity:.75";

const NUMBER: &str = "font-size:22px;line-height:1.3;font-weight:600;white-space:nowrap";

const UNIT: &str = "font-size:14px;font-weight:400;opacity:.75";

/// A card as wide as a paragraph.
pub(super) fn card(title: &str, body: &Markup) -> Markup {
    frame(title, "max-width:600px", body)
}

/// A card as wide as a chart.
pub(super) fn of_chart(title: &str, body: &Markup) -> Markup {
    frame(title, "max-width:750px", body)
}

/// A card as wide as its content.
pub(super) fn wide(title: &str, body: &Markup) -> Markup {
    frame(title, "width:fit-content;max-width:100%", body)
}

fn frame(title: &str, width: &str, body: &Markup) -> Markup {
    html! {
        div role="group" aria-label=(title) style={ "box-sizing:border-box;" (width) ";" (FRAME) } { (body) }
    }
}

/// Headline figures side by side.
pub(super) fn headline(figures: &Markup) -> Markup {
    html! {
        div style="display:flex;flex-wrap:wrap;gap:4px 32px" { (figures) }
    }
}

/// A large number with a label above it.
pub(super) fn figure(label: &str, number: &str, unit: &str) -> Markup {
    html! {
        div {
            div style=(LABEL) { (label) }
            div style=(NUMBER) { (number) " " span style=(UNIT) { (unit) } }
        }
    }
}

/// A line of detail.
pub(super) fn detail(text: &str) -> Markup {
    html! {
        div style="margin-top:6px" { (text) }
    }
}

/// A row of [`key`]s.
pub(super) const KEYS: &str = "display:flex;gap:14px;margin-top:4px;font-size:12px";

/// A colour and its meaning.
pub(super) fn key(color: &str, opacity: &str, text: &str) -> Markup {
    html! {
        span {
            span aria-hidden="true" style={
                "display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:5px;\
                " (colored("background", color)) ";opacity:" (opacity)
            } {}
            span style="opacity:.75" { (text) " " }
        }
    }
}

/// A part of a bar, `size` of `scale` wide. A small part beside a large one stays visible.
pub(super) fn part(size: u64, scale: u64, color: &str, opacity: &str) -> Markup {
    let visible = if size > 0 { "2px" } else { "0" };
    html! {
        div style={
            "width:" (format!("{:.1}", percent(size, scale))) "%;min-width:" (visible)
            ";" (colored("background", color)) ";opacity:" (opacity)
        } {}
    }
}

/// `size` in percent of `scale`.
pub(super) fn percent(size: u64, scale: u64) -> f64 {
    100.0 * size as f64 / scale.max(1) as f64
}

/// Notes about the figures.
pub(super) fn notes(notes: &[String]) -> Markup {
    html! {
        @for note in notes {
            div style="margin-top:4px;font-size:12px;opacity:.75" { (note) }
        }
    }
}

/// A reason not to trust the figures, shown above them.
pub(super) fn warning(text: &str) -> Markup {
    html! {
        div role="note" style="margin-bottom:8px;padding:4px 8px;border-left:3px solid #d98e04;\
            background:rgba(217,142,4,.12)" { (text) }
    }
}
