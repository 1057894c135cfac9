//! The variables of a session as a card.

use maud::{Markup, html};

use super::{card, whos_text};
use crate::result::{WhosOrder, WhosResult, WhosVariable};

const FIGURE: &str = "text-align:right;padding:2px 8px;white-space:nowrap";
const TEXT: &str = "text-align:left;padding:2px 8px;font-family:var(--jp-code-font-family, monospace);\
    white-space:pre;max-width:280px;overflow:hidden;text-overflow:ellipsis";

pub(super) fn table(result: &WhosResult, order: WhosOrder) -> Markup {
    let largest = result.variables.iter().filter_map(held).max().unwrap_or(0);
    card::wide(
        "the variables of the session",
        &html! {
            @if result.variables.is_empty() {
                div { (whos_text::NONE) }
            } @else {
                div style="overflow-x:auto" {
                    table style="border-collapse:collapse;font-size:12px;margin:0" {
                        thead {
                            tr {
                                th scope="col" style=(TEXT) { "Name" }
                                th scope="col" style=(TEXT) { "Type" }
                                @for header in whos_text::FIGURES { th scope="col" style=(FIGURE) { (header) } }
                                th scope="col" style=(TEXT) { "Value" }
                            }
                        }
                        tbody {
                            @for variable in result.ordered(order) { (row(variable, largest)) }
                        }
                    }
                }
                (card::key(card::ACCENT, "1", "heap of the variable alone"))
                (card::key(card::ACCENT, ".4", "shared with other variables"))
            }
            @for sum in whos_text::sums(result) {
                div style="margin-top:2px;white-space:pre;font-size:12px;font-family:var(--jp-code-font-family, monospace)" { (sum) }
            }
            (card::notes(&whos_text::notes(result)))
        },
    )
}

/// Heap of a variable, with what it shares.
fn held(variable: &WhosVariable) -> Option<u64> {
    Some(variable.heap? + variable.heap_shared.unwrap_or(0))
}

fn row(variable: &WhosVariable, largest: u64) -> Markup {
    let figures = whos_text::figures(variable);
    html! {
        tr {
            td style=(TEXT) { (variable.name) }
            td style=(TEXT) title=(variable.type_name) { (variable.type_name) }
            @for (column, figure) in figures.iter().enumerate() {
                td style=(FIGURE) {
                    (figure)
                    @if column == 0 {
                        div aria-hidden="true" style="display:flex;height:3px;min-width:60px" {
                            (card::part(variable.heap.unwrap_or(0), largest, card::ACCENT, "1"))
                            (card::part(variable.heap_shared.unwrap_or(0), largest, card::ACCENT, ".4"))
                        }
                    }
                }
            }
            td style=(TEXT) { (variable.value.as_deref().unwrap_or_default()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::whos_sample as sample;

    #[test]
    fn a_table_has_every_variable_and_a_bar_for_its_heap() {
        let table = table(&sample(), WhosOrder::Name).into_string();
        assert_eq!(table.matches("<tr>").count(), 6);
        assert!(table.contains("width:100.0%"));
        assert!(table.contains("live heap") && table.contains("its drop panics: no way"));
        assert!(table.find("Rc&lt;String&gt;").is_some());
    }

    #[test]
    fn a_session_without_variables_has_no_table() {
        let table = table(&WhosResult::default(), WhosOrder::Cell).into_string();
        assert!(table.contains(whos_text::NONE) && !table.contains("<table"));
    }
}
