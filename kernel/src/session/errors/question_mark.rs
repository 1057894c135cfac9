//! The error of a cell that ended at a `?`.

use memit_measurement::QuestionMark;

use super::cell_error::CellError;
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
    let rendered = diagnostics::of_question_mark(display, debug.map(String::as_str), place);
    CellError {
        ename: "Error".to_owned(),
        evalue: display.clone(),
        traceback: rendered.lines().map(str::to_owned).collect(),
    }
}
