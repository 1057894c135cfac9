//! What cells have cost, as a table, and as a line below a cell.

use maud::{Markup, html};

use super::{card, costs_text};
use crate::result::{CellCost, CostsOrder, CostsResult};

const FIGURE: &str = "text-align:right;padding:2px 8px;white-space:nowrap";
const SOURCE: &str = "text-align:left;padding:2px 8px;font-family:var(--jp-code-font-family, monospace);\
    white-space:pre;max-width:280px;overflow:hidden;text-overflow:ellipsis";

pub(super) fn table(result: &CostsResult, order: CostsOrder) -> Markup {
    let highest = costs_text::highest(result);
    card::wide(
        "what the cells have cost",
        &html! {
            div style="overflow-x:auto" {
                table style="border-collapse:collapse;font-size:12px;margin:0" {
                    thead {
                        tr {
                            @for header in costs_text::HEADERS { th scope="col" style=(FIGURE) { (header) } }
                            th scope="col" style=(SOURCE) { "Source" }
                        }
                    }
                    tbody {
                        @for cell in result.ordered(order) { (row(cell, highest)) }
                    }
                }
            }
            (card::notes(&costs_text::notes(result)))
        },
    )
}

fn row(cell: &CellCost, highest: u64) -> Markup {
    let figures = costs_text::figures(cell);
    html! {
        tr {
            @for (column, figure) in figures.iter().enumerate() {
                td style=(FIGURE) {
                    (figure)
                    @if costs_text::HEADERS[column] == "Peak" {
                        div aria-hidden="true" style="display:flex;height:3px" {
                            (card::part(cell.peak_memory.unwrap_or(0), highest, card::ACCENT, "1"))
                        }
                    }
                }
            }
            td style=(SOURCE) { (cell.source) }
        }
    }
}

/// A line below a cell.
pub(super) fn line(text: &str) -> Markup {
    html! {
        div style="font-size:11px;opacity:.65;font-variant-numeric:tabular-nums" { (text) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::costs_text::tests::sample;
    use super::*;

    #[test]
    fn a_table_has_every_cell_and_a_bar_for_its_peak() {
        let table = table(&sample(), CostsOrder::Held).into_string();
        assert_eq!(table.matches("<tr>").count(), 5);
        assert!(table.contains("width:100.0%"));
        let first = table.find("let v").unwrap();
        assert!(first < table.find("1 + 1").unwrap());
    }
}
