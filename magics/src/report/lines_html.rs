//! The lines of a function as a table: figures, bars and the source in colour.

use maud::{Markup, html};
use memit_lines::{Figures, Function, Line, Place, Profile, notes as lines_notes};

use super::{card, highlight};

const TABLE: &str = "table-layout:auto;width:auto;margin:0;border-collapse:collapse;border:none;\
    font-size:12px;color:inherit";

const CAPTION: &str = "caption-side:top;text-align:left;padding:0 0 4px;color:inherit";

const CODE: &str = "font-family:var(--jp-code-font-family, ui-monospace, monospace)";

/// A cell of a number.
const NUMBER: &str = "padding:1px 6px;text-align:right;white-space:nowrap;border:none";

const SOURCE: &str = "padding:1px 6px 1px 12px;text-align:left;border:none";

const PRE: &str = "margin:0;padding:0;background:none;border:none;color:inherit;font-size:12px;\
    line-height:1.5;white-space:pre;tab-size:4";

const HEAD: &str = "padding:2px 6px;white-space:nowrap;border:none;font-weight:400;\
    vertical-align:bottom;background:none";

/// The style of a row.
#[derive(Clone, Copy)]
struct Look {
    background: &'static str,
    mark: &'static str,
    number: &'static str,
    title: Option<&'static str>,
}

const ORDINARY: Look = Look {
    // Overrides the background that JupyterLab gives to every other row.
    background: "none",
    mark: "transparent",
    number: "font-weight:400;opacity:.65",
    title: None,
};

const HOTTEST: Look = Look {
    background: "rgba(217,142,4,.16)",
    mark: "#d98e04",
    number: "font-weight:600",
    title: Some("hottest line"),
};

const STOPPED: Look = Look {
    background: "rgba(192,57,43,.16)",
    mark: "#c0392b",
    number: "font-weight:600",
    title: Some("stopped here"),
};

const BADGE: &str = "margin-left:14px;padding:0 6px;border-radius:3px;color:#fff;\
    background:#c0392b;font-family:var(--jp-content-font-family, system-ui, sans-serif);\
    font-size:11px";

/// A column of figures.
pub(super) struct Column {
    pub(super) header: &'static str,
    /// A description, shown for the mouse pointer.
    pub(super) meaning: &'static str,
    /// Width in cells: 2 with a bar.
    pub(super) span: u8,
}

/// The table of a function.
pub(super) struct Table<'a> {
    pub(super) function: &'a Function,
    pub(super) columns: &'a [Column],
    /// The total of the function.
    pub(super) total: String,
    /// The line with the highest figures.
    pub(super) hottest: Option<&'a Line>,
}

impl Table<'_> {
    /// The `table` element. `cells` makes the cells for the figures of a line.
    pub(super) fn html(&self, cells: impl Fn(&Figures) -> Markup) -> Markup {
        let lines = &self.function.lines;
        let sources = highlight::lines(lines.iter().map(|line| line.source.as_str()));
        html! {
            div style="overflow-x:auto" {
                table style=(TABLE) {
                    caption style=(CAPTION) { (self.caption()) }
                    (self.head())
                    tbody {
                        @for (line, source) in lines.iter().zip(sources) {
                            (self.row(line, &source, &cells))
                        }
                    }
                }
            }
        }
    }

    fn caption(&self) -> Markup {
        let Function { name, place, .. } = self.function;
        html! {
            b style={ (CODE) ";font-size:14px" } { (name) } " "
            @if *place != Place::Unknown {
                span style="margin-left:6px;opacity:.75" { (place) }
            }
            div {
                (self.total)
                @if let Some(line) = self.hottest { ", most in line " (line.number) }
            }
        }
    }

    fn head(&self) -> Markup {
        html! {
            thead style="border-bottom:1px solid rgba(128,128,128,.35)" {
                tr style="background:none" {
                    th scope="col" style={ (HEAD) ";text-align:right" } { "Line" }
                    @for column in self.columns {
                        @let bar = column.span > 1;
                        th scope="col" colspan=[bar.then_some(column.span)] title=(column.meaning)
                            style={ (HEAD) ";text-align:" (if bar { "left" } else { "right" }) }
                            { (column.header) }
                    }
                    th scope="col" style={ (HEAD) ";padding-left:12px;text-align:left" }
                        { "Source" }
                }
            }
        }
    }

    fn row(&self, line: &Line, source: &Markup, cells: impl Fn(&Figures) -> Markup) -> Markup {
        let look = self.look(line.number);
        let figures_wide: u8 = self.columns.iter().map(|column| column.span).sum();
        html! {
            tr style={ "background:" (look.background) } title=[look.title] {
                th scope="row" style={
                    (NUMBER) ";background:none;border-left:3px solid " (look.mark) ";" (look.number)
                } { (line.number) }
                @match line.active() {
                    Some(figures) => (cells(figures)),
                    None => td colspan=(figures_wide) style=(NUMBER) {},
                }
                td style=(SOURCE) {
                    // `pre` keeps the indent in viewers that strip styles.
                    pre style={ (PRE) ";" (CODE) } {
                        (source)
                        @if self.stopped_at(line.number) {
                            " " span style=(BADGE) { "stopped here" }
                        }
                    }
                }
            }
        }
    }

    fn look(&self, number: u32) -> Look {
        if self.stopped_at(number) {
            STOPPED
        } else if self.hottest.is_some_and(|line| line.number == number) {
            HOTTEST
        } else {
            ORDINARY
        }
    }

    fn stopped_at(&self, number: u32) -> bool {
        self.function.stopped_at == Some(number)
    }
}

/// The tables of functions, below a warning if the run stopped early.
pub(super) fn tables(profile: &Profile, tables: &[Markup]) -> Markup {
    html! {
        @if let Some(stopped) = lines_notes::stopped(profile) { (card::warning(&stopped)) }
        @if tables.is_empty() { (card::detail(lines_notes::nothing_shown(profile))) }
        @for (index, table) in tables.iter().enumerate() {
            div style=[(index > 0).then_some("margin-top:18px")] { (table) }
        }
    }
}

/// A cell of text, paler if the figure is `nothing`.
pub(super) fn cell(text: &str, exact: Option<&str>, nothing: bool) -> Markup {
    html! {
        td title=[exact] style={ (NUMBER) (if nothing { ";opacity:.45" } else { "" }) } { (text) }
    }
}

/// A cell with a bar.
pub(super) fn bar(bar: &Markup) -> Markup {
    html! {
        td style="padding:1px 6px 1px 0;border:none" { (bar) }
    }
}

/// A cell with the number of executions; blank for a closing brace, which is not executed.
pub(super) fn hits(figures: &Figures) -> Markup {
    let text = if figures.hits == 0 {
        String::new()
    } else {
        memit_lines::units::count(figures.hits)
    };
    cell(&text, None, false)
}
