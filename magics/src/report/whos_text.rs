//! The variables of a session in lines of text.

use crate::ellipsis::shortened;
use crate::result::{WhosOrder, WhosResult, WhosVariable};
use crate::units;

/// A figure that is not known.
const UNKNOWN: &str = "–";

/// Characters of a type.
const TYPE: usize = 40;

/// The columns between the type and the value.
pub(super) const FIGURES: [&str; 5] = ["Heap", "Shared", "Blocks", "Size", "Cell"];

/// What a session without variables is called.
pub(super) const NONE: &str = "The session has no variables.";

/// A table of all variables.
pub(super) fn table(result: &WhosResult, order: WhosOrder) -> String {
    let mut lines = Vec::new();
    if result.variables.is_empty() {
        lines.push(NONE.to_owned());
    } else {
        let variables = result.ordered(order);
        let rows: Vec<_> = variables.iter().map(|variable| row(variable)).collect();
        let header = ["Name", "Type"].into_iter().chain(FIGURES).chain(["Value"]);
        let header: [String; 8] = header
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .try_into()
            .expect("there are eight columns");
        let all = || std::iter::once(&header).chain(&rows);
        let widths: [usize; 8] = std::array::from_fn(|column| {
            let lengths = all().map(|row| row[column].chars().count());
            lengths.max().unwrap_or(0)
        });
        lines.extend(all().map(|row| line(row, &widths)));
    }
    lines.push(String::new());
    lines.extend(sums(result));
    lines.extend(notes(result));
    lines.join("\n").trim_start_matches('\n').to_owned()
}

fn line(row: &[String; 8], widths: &[usize; 8]) -> String {
    let columns = row.iter().zip(widths).enumerate();
    let columns: Vec<_> = columns
        .map(|(column, (text, width))| match column {
            0 | 1 => format!("{text:width$}"),
            7 => text.clone(),
            _ => format!("{text:>width$}"),
        })
        .collect();
    columns.join("  ").trim_end().to_owned()
}

fn row(variable: &WhosVariable) -> [String; 8] {
    let [heap, shared, blocks, size, cell] = figures(variable);
    [
        variable.name.clone(),
        shortened(&variable.type_name, TYPE),
        heap,
        shared,
        blocks,
        size,
        cell,
        variable.value.clone().unwrap_or_default(),
    ]
}

/// The columns [`FIGURES`] of a variable.
pub(super) fn figures(variable: &WhosVariable) -> [String; FIGURES.len()] {
    let known = |number: Option<u64>, text: fn(u64) -> String| {
        number.map_or_else(|| UNKNOWN.to_owned(), text)
    };
    [
        known(variable.heap, units::bytes),
        known(variable.heap_shared, units::bytes),
        known(variable.blocks, units::count),
        units::bytes(variable.size),
        format!("[{}]", variable.cell),
    ]
}

/// Where the live heap is, in lines.
pub(super) fn sums(result: &WhosResult) -> Vec<String> {
    let parts = parts(result);
    let width = parts.iter().map(|(size, _)| size.chars().count()).max();
    let width = width.unwrap_or(0);
    let lines = parts.iter();
    lines
        .map(|(size, what)| format!("{size:>width$}  {what}"))
        .collect()
}

/// The parts of the live heap and their sum.
fn parts(result: &WhosResult) -> Vec<(String, &'static str)> {
    let is_complete = result
        .variables
        .iter()
        .all(|variable| variable.heap.is_some());
    let size = |bytes: Option<u64>| bytes.map_or_else(|| UNKNOWN.to_owned(), units::bytes);
    vec![
        (units::bytes(result.heap), "heap of single variables"),
        (size(result.heap_shared), "heap that variables share"),
        (
            size(result.heap_of_session),
            if is_complete {
                "heap of the session's own"
            } else {
                "heap of the session's own and of variables without a figure"
            },
        ),
        (size(result.live_heap), "live heap"),
    ]
}

/// What the figures do not show.
pub(super) fn notes(result: &WhosResult) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for variable in &result.variables {
        let Some(why) = &variable.no_heap else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, names)) => names.push(&variable.name),
            None => reasons.push((why, vec![&variable.name])),
        }
    }
    let mut notes: Vec<_> = reasons
        .iter()
        .map(|(why, names)| format!("{}: {why}.", named(names)))
        .collect();
    let is_unknown =
        |variable: &WhosVariable| variable.heap.is_some() && variable.heap_shared.is_none();
    if result.variables.iter().any(is_unknown) {
        notes.push(if result.heap_shared.is_some() {
            "Which variables share heap would take long to find out.".to_owned()
        } else {
            "Dropping all variables together failed, so what they share is not known.".to_owned()
        });
    }
    notes
}

/// Names that are listed; the others are counted.
const NAMED: usize = 8;

fn named(names: &[&str]) -> String {
    let listed: Vec<_> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    let listed = listed.join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// All in one line.
pub(super) fn summary(result: &WhosResult) -> String {
    let count = units::counted(&result.variables.len().to_string(), "variable");
    let heap = result.heap + result.heap_shared.unwrap_or(0);
    format!("{count} with {} of heap", units::bytes(heap))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::result::whos_sample as sample;

    #[test]
    fn the_variables_of_a_session() {
        assert_snapshot!(table(&sample(), WhosOrder::Cell), @r#"
        Name   Type                         Heap    Shared  Blocks  Size  Cell  Value
        all    Vec<u8>                100.00 MiB       0 B       1  24 B   [1]  [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1,…
        one    Rc<String>                    0 B  1.00 KiB       0   8 B   [2]  "shared"
        other  (Box<u8>, Rc<String>)        24 B  1.00 KiB       1   8 B   [2]  "shared"
        n      i32                           0 B       0 B       0   4 B   [4]  3
        odd    Odd                             –         –       –  16 B   [5]

         100.00 MiB  heap of single variables
           1.00 KiB  heap that variables share
        1022.98 KiB  heap of the session's own and of variables without a figure
         101.00 MiB  live heap
        `odd`: its drop panics: no way.
        "#);
    }

    #[test]
    fn a_session_without_variables() {
        let result = WhosResult {
            heap_shared: Some(0),
            heap_of_session: Some(2048),
            live_heap: Some(2048),
            ..WhosResult::default()
        };
        assert_snapshot!(table(&result, WhosOrder::Size), @"
        The session has no variables.

             0 B  heap of single variables
             0 B  heap that variables share
        2.00 KiB  heap of the session's own
        2.00 KiB  live heap
        ");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut result = sample();
        result.heap_shared = None;
        result.variables[1].heap_shared = None;
        assert_snapshot!(notes(&result).join("\n"), @"
        `odd`: its drop panics: no way.
        Dropping all variables together failed, so what they share is not known.
        ");
        for variable in &mut result.variables {
            variable.no_heap = Some("no".to_owned());
        }
        assert_eq!(notes(&result)[0], "`all`, `one`, `other`, `n`, `odd`: no.");
        assert_eq!(
            named(&["n"; 10]),
            "`n`, `n`, `n`, `n`, `n`, `n`, `n`, `n` and 2 more"
        );
        assert_snapshot!(summary(&sample()), @"5 variables with 100.00 MiB of heap");
    }
}
