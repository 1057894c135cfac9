//! Finds the place in a cell where a panic happened, or a `?` that ended the cell.
//!
//! A panic names a line of the file that evcxr generated, in which the user's lines stand between
//! generated ones. The line is looked up in the cells by its text and the text of its neighbours.

use memit_measurement::Panic;

use super::cell_error::CellError;
use super::diagnostics;
use crate::compiler::probes::Probes;

/// A place in a cell.
#[derive(Debug, PartialEq, Eq)]
struct Site<'a> {
    /// How many cells ago the cell ran; 0 is the running cell.
    cells_ago: usize,
    /// Counted from 1.
    line: usize,
    /// Counted from 1, in characters.
    column: usize,
    cell: &'a str,
}

/// The file name of every compiled cell.
const CELL_FILE: &str = "src/lib.rs";

/// The panic with the column that its code has without probes.
pub(crate) fn without_probes(panic: Panic, probes: &Probes) -> Panic {
    let column = if panic.file == CELL_FILE {
        probes.plain_column(panic.line, panic.column)
    } else {
        panic.column
    };
    Panic { column, ..panic }
}

/// The error of a cell that panicked. `compiled` is the source that was compiled for the cell.
pub(crate) fn error(panic: &Panic, compiled: &str, cells: &[String]) -> CellError {
    let message = if panic.message.is_empty() {
        "the cell panicked"
    } else {
        &panic.message
    };
    let site = place(&panic.file, (panic.line, panic.column), compiled, cells);
    let mut traceback: Vec<String> = diagnostics::of_panic(message, site)
        .lines()
        .map(str::to_owned)
        .collect();
    if panic.file != CELL_FILE && !panic.file.is_empty() {
        let Panic {
            file, line, column, ..
        } = panic;
        traceback.push(format!(" --> {file}:{line}:{column}"));
    }
    CellError {
        ename: "Panic".to_owned(),
        evalue: message.to_owned(),
        traceback,
    }
}

/// The place of a line and a column of `file` as text: `cell:3:5`. `None` as for [`place`].
pub(super) fn shown(
    file: &str,
    place: (u32, u32),
    compiled: &str,
    cells: &[String],
) -> Option<String> {
    let (origin, code, at) = self::place(file, place, compiled, cells)?;
    let (line, column) = diagnostics::line_and_column(code, at);
    Some(format!("{origin}:{line}:{column}"))
}

/// The place of a line and a column of `file`: its origin, the cell and the byte there. `None` if
/// `file` is not the source that was compiled for the cell, or if its line is none of the user's.
pub(super) fn place<'a>(
    file: &str,
    (line, column): (u32, u32),
    compiled: &str,
    cells: &'a [String],
) -> Option<(&'static str, &'a str, usize)> {
    if file != CELL_FILE {
        return None;
    }
    let (line, column) = (usize::try_from(line).ok()?, usize::try_from(column).ok()?);
    let site = locate(compiled, line, column, cells)?;
    let at = diagnostics::byte_at(site.cell, site.line, site.column)?;
    let origin = if site.cells_ago == 0 {
        diagnostics::ORIGIN
    } else {
        diagnostics::EARLIER
    };
    Some((origin, site.cell, at))
}

fn locate<'a>(compiled: &str, line: usize, column: usize, cells: &'a [String]) -> Option<Site<'a>> {
    let compiled: Vec<&str> = compiled.lines().collect();
    let mut index = line.checked_sub(1)?;
    let mut column = column;
    if is_before_value(compiled.get(index)?) {
        // The compiler takes the parentheses around the value of the cell for a part of the value.
        index += 1;
        while compiled.get(index)?.trim().is_empty() {
            index += 1;
        }
        column = indent(compiled.get(index)?) + 1;
    }
    let wanted = compiled.get(index)?;
    let key = wanted.trim();
    if key.is_empty() {
        return None;
    }
    let mut best: Option<(usize, Site)> = None;
    for (cells_ago, cell) in cells.iter().rev().enumerate() {
        let lines: Vec<&str> = cell.lines().collect();
        for (at, text) in lines.iter().enumerate() {
            let Some(offset) = text.find(key) else {
                continue;
            };
            let before = common(compiled[..index].iter().rev(), lines[..at].iter().rev());
            let after = common(compiled[index + 1..].iter(), lines[at + 1..].iter());
            let is_whole = usize::from(text.trim() == key);
            let score = 2 * (before + after) + is_whole;
            if best.as_ref().is_none_or(|(highest, _)| score > *highest) {
                let shift = text[..offset].chars().count();
                let column = (column + shift).saturating_sub(indent(wanted)).max(1);
                best = Some((
                    score,
                    Site {
                        cells_ago,
                        line: at + 1,
                        column,
                        cell,
                    },
                ));
            }
        }
    }
    best.map(|(_, site)| site)
}

/// Whether the line is generated and stands in front of the value of a cell.
fn is_before_value(line: &str) -> bool {
    ["(", "{ let r = &("].contains(&line)
        || ["match (", "match &("]
            .iter()
            .any(|end| line.ends_with(end))
        || (line.starts_with("evcxr_send_text_plain(") && line.ends_with("&("))
}

/// The number of blanks in front of a line.
fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// The number of leading lines that agree.
fn common<'a, 'b>(
    one: impl Iterator<Item = &'a &'a str>,
    other: impl Iterator<Item = &'b &'b str>,
) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one.trim() == other.trim())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn a_line_is_found_by_its_neighbours() {
        let compiled =
            "mod x {\nfn f() {\n    boom();\n}\nrun {\nlet a = 1;\n    boom();\nlet b = 2;\n}";
        let cells = cells(&[
            "fn f() {\n    boom();\n}",
            "let a = 1;\n    boom();\nlet b = 2;",
        ]);
        let site = locate(compiled, 3, 5, &cells).unwrap();
        assert_eq!((site.cells_ago, site.line, site.column), (1, 2, 5));
        let site = locate(compiled, 7, 5, &cells).unwrap();
        assert_eq!((site.cells_ago, site.line, site.column), (0, 2, 5));
    }

    #[test]
    fn a_value_begins_behind_its_parentheses() {
        let cells = cells(&["let a = 1; 1 / a"]);
        let site = locate(
            "let a = 1; \nmatch &(\n           1 / a\n) {}\n",
            2,
            8,
            &cells,
        )
        .unwrap();
        assert_eq!((site.line, site.column), (1, 12));
        let evcxrs = "evcxr_send_text_plain(&format!(\"{:?}\",&(\n\n1 / a\n)));\n";
        let site = locate(evcxrs, 1, 40, &cells).unwrap();
        assert_eq!((site.line, site.column), (1, 12));
        let site = locate("(\n1 / a\n).evcxr_display();\n", 1, 1, &cells).unwrap();
        assert_eq!((site.line, site.column), (1, 12));
    }

    #[test]
    fn a_statement_behind_another_keeps_its_column() {
        let cells = cells(&["let a = 1; panic!(\"x\")"]);
        let site = locate("let a = 1; \npanic!(\"x\")\n", 2, 1, &cells).unwrap();
        assert_eq!((site.line, site.column), (1, 12));
        assert_eq!(locate("other\n", 1, 1, &cells), None);
        assert_eq!(locate("", 7, 1, &cells), None);
    }
}
