//! The error of a cell that ended at a `?`.

use memit_measurement::QuestionMark;

use memit_magics::cell;

use super::cell_error::CellError;
use super::diagnostics::Mark;
use super::{diagnostics, panic_site};

/// The error. `compiled` is the source that was compiled for the cell; `cells` are the cells so far.
pub(crate) fn error(failed: &QuestionMark, compiled: &str, cells: &[String]) -> CellError {
    let QuestionMark {
        display,
        debug,
        file,
        line,
        column,
    } = failed;
    let place = panic_site::place(file, (*line, *column), compiled, cells);
    let debug = Some(debug).filter(|debug| !debug.is_empty() && *debug != display);
    let place = place.map(|(origin, code, start)| (origin, code, mark(code, start)));
    let rendered = diagnostics::of_question_mark(display, debug.map(String::as_str), place);
    CellError {
        ename: "Error".to_owned(),
        evalue: display.clone(),
        traceback: rendered.lines().map(str::to_owned).collect(),
    }
}

/// Marks the `?`. The compiler says where the expression in front of the `?` starts, which several `?`
/// may have in common.
fn mark(code: &str, start: usize) -> Mark {
    let rust = cell::without_commands(code);
    let offset = code.len() - rust.len();
    let in_rust = start.saturating_sub(offset);
    let (span, label) = match cell::rust(rust).question_marks(in_rust)[..] {
        [at] => (offset + at..offset + at + 1, "this `?` ended the cell"),
        _ => (start..start + 1, "a `?` behind this ended the cell"),
    };
    Mark {
        span,
        label: label.to_owned(),
        primary: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_is_found_if_there_is_one() {
        let marked = |code: &str, start: usize| {
            let Mark { span, label, .. } = mark(code, start);
            format!("{}: {label}", &code[span])
        };
        insta::assert_snapshot!(
            [
                marked("f()?", 0),
                marked("let a = b\n    .c()\n    .d()?;", 8),
                marked("a()?.b()?", 0),
                marked(":dep x\nlet é = (f(1)?).g(2)?;", 16),
                marked("a", 0),
            ]
            .join("\n"),
            @"
            ?: this `?` ended the cell
            ?: this `?` ended the cell
            a: a `?` behind this ended the cell
            ?: this `?` ended the cell
            a: a `?` behind this ended the cell
            "
        );
    }
}
