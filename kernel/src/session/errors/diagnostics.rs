//! Renders errors with an excerpt of the cell, in the style of rustc.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, Title};
use memit_magics::MagicError;

use super::cell_error::CellError;

const MAGIC_ERROR: &str = "MagicError";
const COMMAND_ERROR: &str = "CommandError";
/// The name of the source above an excerpt.
pub(super) const ORIGIN: &str = "cell";
/// The same for the source of an earlier cell.
pub(super) const EARLIER: &str = "an earlier cell";

/// A label under a part of the cell.
pub(super) struct Mark {
    pub(super) span: Range<usize>,
    pub(super) label: String,
    pub(super) primary: bool,
}

/// The error of a magic.
pub(crate) fn of_magic(error: &MagicError, code: &str) -> CellError {
    at_the_users_text(MAGIC_ERROR, error, code)
}

/// The error of a command of evcxr, in a part of the cell that starts at the byte `start`.
pub(crate) fn of_command(mut error: MagicError, start: usize, code: &str) -> CellError {
    error.span = error.span.start + start..error.span.end + start;
    at_the_users_text(COMMAND_ERROR, &error, code)
}

fn at_the_users_text(ename: &str, error: &MagicError, code: &str) -> CellError {
    let mark = Mark {
        span: error.span.clone(),
        label: String::new(),
        primary: true,
    };
    let notes: Vec<_> = error
        .help
        .iter()
        .map(|help| (Level::HELP, help.clone()))
        .collect();
    let title = Level::ERROR.primary_title(error.message.as_str());
    let rendered = render(title, ORIGIN, code, &[mark], &notes);
    CellError {
        ename: ename.to_owned(),
        evalue: error.message.clone(),
        traceback: rendered.lines().map(str::to_owned).collect(),
    }
}

/// The error of a cell that is from a file: its excerpts name the file in place of the cell.
pub(crate) fn of_file(mut error: CellError, file: &str) -> CellError {
    let mut is_placed = false;
    for line in &mut error.traceback {
        let Some((before, place)) = line.split_once(&format!("{ORIGIN}:")) else {
            continue;
        };
        if anstream::adapter::strip_str(before)
            .to_string()
            .ends_with("--> ")
        {
            *line = format!("{before}{file}:{place}");
            is_placed = true;
        }
    }
    if is_placed {
        error
    } else {
        error.with_note(format!("note: the error is in {file}"))
    }
}

/// Renders the error of a `?`: its `Display` text, its `Debug` text if that says more, and the
/// origin, the source and the mark of the `?`, if they are known.
pub(super) fn of_question_mark(
    display: &str,
    debug: Option<&str>,
    place: Option<(&str, &str, Mark)>,
) -> String {
    let title = Level::ERROR.primary_title(display);
    let notes: Vec<_> = debug
        .into_iter()
        .map(|debug| (Level::NOTE, debug.to_owned()))
        .collect();
    let (origin, code, marks) = match place {
        Some((origin, code, mark)) => (origin, code, vec![mark]),
        None => (ORIGIN, "", Vec::new()),
    };
    render(title, origin, code, &marks, &notes)
}

/// Renders a panic with the origin, the source and the byte where it happened, if they are known.
pub(crate) fn of_panic(message: &str, place: Option<(&str, &str, usize)>) -> String {
    let title = Level::ERROR.with_name("panic").primary_title(message);
    match place {
        Some((origin, code, at)) => {
            let mark = Mark {
                span: at..at,
                label: String::new(),
                primary: true,
            };
            render(title, origin, code, &[mark], &[])
        }
        None => render(title, ORIGIN, "", &[], &[]),
    }
}

pub(super) fn render(
    title: Title<'_>,
    origin: &str,
    code: &str,
    marks: &[Mark],
    notes: &[(Level<'_>, String)],
) -> String {
    let mut group = Group::with_title(title);
    if !marks.is_empty() {
        let annotations = marks.iter().map(|mark| {
            let kind = if mark.primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            kind.span(mark.span.clone()).label(mark.label.as_str())
        });
        group = group.element(Snippet::source(code).path(origin).annotations(annotations));
    }
    for (level, note) in notes {
        group = group.element(level.clone().message(note.as_str()));
    }
    Renderer::styled().render(&[group])
}

/// The line and the column in characters of a byte of `code`, both counted from 1.
pub(crate) fn line_and_column(code: &str, at: usize) -> (usize, usize) {
    let before = &code[..at];
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    (
        before.matches('\n').count() + 1,
        in_line.chars().count() + 1,
    )
}

/// The byte offset in `code` of a line and a column in characters, both counted from 1.
pub(crate) fn byte_at(code: &str, line: usize, column: usize) -> Option<usize> {
    let mut start = 0;
    let text = code
        .split_inclusive('\n')
        .nth(line.checked_sub(1)?)
        .or_else(|| (line == 1).then_some(""))?;
    for earlier in code.split_inclusive('\n').take(line - 1) {
        start += earlier.len();
    }
    let text = text.trim_end_matches('\n');
    let offset = text
        .char_indices()
        .nth(column.checked_sub(1)?)
        .map_or(text.len(), |(at, _)| at);
    Some(start + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        assert_eq!(byte_at("é = 1;\nlet x", 1, 2), Some(2));
        assert_eq!(byte_at("é = 1;\nlet x", 2, 5), Some(12));
        assert_eq!(byte_at("a", 1, 99), Some(1));
        assert_eq!(byte_at("a", 2, 1), None);
    }

    #[test]
    fn a_magic_error_points_at_the_users_text() {
        let error = MagicError::new("unknown option `--repaet`", 7..15)
            .with_help("did you mean `--repeat`?");
        let error = of_magic(&error, "%memit --repaet 5 x");
        let text = anstream::adapter::strip_str(&error.traceback.join("\n")).to_string();
        insta::assert_snapshot!(text, @r"
        error: unknown option `--repaet`
         --> cell:1:8
          |
        1 | %memit --repaet 5 x
          |        ^^^^^^^^
          |
          = help: did you mean `--repeat`?
        ");
    }
}
