//! Checks a cell without running it.

use evcxr::CompilationError;
use memit_magics::split::blank_magics;
use serde::Serialize;

use crate::session::commands;
use crate::session::engine::Engine;
use crate::session::errors::{compiler, diagnostics};

/// A problem, in the format of evcxr's own kernel. Lines and columns count from 1, columns in
/// characters; the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The error message and its help.
    message: String,
    /// `error` or `warning`.
    severity: String,
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

/// The problems in `code`. `rewrite` makes the source for evcxr, and a map of its lines to those of
/// its argument.
pub(crate) fn check<M: Fn(usize) -> usize>(
    engine: &mut Engine,
    code: &str,
    rewrite: impl FnOnce(&str) -> (String, M),
) -> Vec<Problem> {
    let blanked = blank_magics(code);
    let (source, line) = match commands::adapted(&blanked, engine.opt_level()) {
        Ok(adapted) => rewrite(&adapted.source),
        // evcxr reports the command.
        Err(_) => rewrite(&blanked),
    };
    let (errors, bound) = engine.check(&source);
    let cell_line = |at| bound.original(at).map(&line);
    errors
        .iter()
        .filter(|error| !compiler::is_of_copy(error, code))
        .filter_map(|error| problem(error, code, &blanked, &cell_line))
        .collect()
}

/// Converts an error; `None` if it does not point at the cell.
fn problem(
    error: &CompilationError,
    code: &str,
    blanked: &str,
    cell_line: &dyn Fn(usize) -> Option<usize>,
) -> Option<Problem> {
    let primary = error.primary_spanned_message()?;
    let span = primary.span?;
    let moved = |at, column| Some(moved(blanked, code, cell_line(at)?, column));
    let (start_line, start_column) = moved(span.start_line, span.start_column)?;
    let (end_line, end_column) = moved(span.end_line, span.end_column)?;
    let label = Some(compiler::label(error, &primary.label)).filter(|label| !label.is_empty());
    let help = compiler::helps(error, blanked).map(|help| format!("help: {help}"));
    let lines: Vec<String> = label
        .into_iter()
        .chain([error.message()])
        .chain(help)
        .collect();
    Some(Problem {
        message: lines.join("\n"),
        severity: error.level().to_owned(),
        start_line,
        start_column,
        end_line,
        end_column,
    })
}

/// Maps a line and a column of `from` to `to`, which has the same bytes with other line ends.
fn moved(from: &str, to: &str, line: usize, column: usize) -> (usize, usize) {
    let line_starts_at: usize = from
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = &from[line_starts_at..];
    let in_line: usize = rest
        .chars()
        .take(column.saturating_sub(1))
        .map(char::len_utf8)
        .sum();
    diagnostics::line_and_column(to, to.floor_char_boundary(line_starts_at + in_line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_behind_magics_are_those_of_the_cell() {
        let cell = "%memit 1\nlet é = wrong;\n%timeit é\nlet x = worse;";
        let blanked = blank_magics(cell);
        let place_of = |name: &str| {
            let before = &blanked[..blanked.find(name).unwrap()];
            let line_start = before.rfind('\n').map_or(0, |end| end + 1);
            let line = before.matches('\n').count() + 1;
            moved(
                &blanked,
                cell,
                line,
                before[line_start..].chars().count() + 1,
            )
        };
        assert_eq!(place_of("wrong"), (2, 9));
        assert_eq!(place_of("worse"), (4, 9));
    }

    #[test]
    fn a_place_beyond_the_end_is_the_end() {
        assert_eq!(moved("ab", "ab", 1, 9), (1, 3));
        assert_eq!(moved("ab", "ab", 7, 1), (1, 3));
    }
}
