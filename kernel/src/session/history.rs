//! The cells of the session, for `%history` and `%rerun`.

use std::fmt::Write as _;

use memit_magics::cell::numbers::Numbers;

use super::evaluation::Written;
use super::nested::OtherCell;

/// The text of the cells before the running one.
pub(super) fn text(written: Written<'_>, cells: &Numbers, numbered: bool) -> String {
    let mut text = String::new();
    for (number, code) in selected(written, cells, |_| true) {
        let code = code.trim_end();
        let _ = match (numbered, code.contains('\n')) {
            (false, _) => writeln!(text, "{code}"),
            (true, false) => writeln!(text, "{number:>4}: {code}"),
            (true, true) => writeln!(text, "{number:>4}:\n{code}"),
        };
    }
    text
}

/// The cells before the running one, to run them again; `None` if there are none.
pub(super) fn again(written: Written<'_>, cells: &Numbers) -> Option<Vec<OtherCell>> {
    let cells: Vec<_> = selected(written, cells, |code| !code.trim_start().starts_with(RERUN))
        .into_iter()
        .map(|(_, code)| OtherCell {
            code: code.to_owned(),
            announced: format!("=== Executing: ===\n{}\n=== Output: ===\n", code.trim_end()),
            file: None,
        })
        .collect();
    (!cells.is_empty()).then_some(cells)
}

/// A cell that begins so would run itself.
const RERUN: &str = "%rerun";

/// Numbers and sources of those cells before the running one that `is_wanted`.
fn selected<'a>(
    written: Written<'a>,
    cells: &Numbers,
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<(u64, &'a str)> {
    let running = written.numbers.last();
    let all = written.numbers.iter().zip(written.cells);
    let before = all.take_while(|(number, _)| Some(*number) != running);
    let (mut numbers, mut sources) = (Vec::new(), Vec::new());
    let mut last = 0;
    for (number, code) in before {
        // A cell that is not kept in the history has the number of the cell before, and so has a cell that
        // a magic has run.
        if std::mem::replace(&mut last, *number) != *number && is_wanted(code) {
            numbers.push(*number);
            sources.push(code.as_str());
        }
    }
    let selected = cells.select(&numbers).into_iter();
    selected.map(|at| (numbers[at], sources[at])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_ends_before_the_running_cell() {
        let cells = ["a", "b\nc", "%rerun 1", "a", "%history"].map(str::to_owned);
        let written = Written {
            cells: &cells,
            numbers: &[1, 2, 3, 3, 4],
        };
        assert_eq!(text(written, &Numbers::All, false), "a\nb\nc\n%rerun 1\n");
        let last = Numbers::Last(2);
        assert_eq!(text(written, &last, true), "   2:\nb\nc\n   3: %rerun 1\n");
        let again = |cells| {
            let again = again(written, &cells).unwrap_or_default().into_iter();
            again.map(|cell| cell.code).collect::<Vec<_>>()
        };
        assert_eq!(again(Numbers::Last(1)), ["b\nc"]);
        assert_eq!(again(Numbers::Ranges(vec![(1, Some(1))])), ["a"]);
        assert_eq!(again(Numbers::Ranges(vec![(4, None)])), [""; 0]);
    }
}
