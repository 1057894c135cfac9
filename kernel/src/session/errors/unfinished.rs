//! The error of a cell that ends too early, or whose brackets do not match. The compiler would complain
//! about evcxr's code behind the cell, or take that code for a part of the cell.

use std::ops::Range;

use annotate_snippets::Level;
use memit_magics::cell;
use memit_magics::cell::syntax::{Closed, Completeness, Unbalanced};
use memit_magics::split::Part;

use super::cell_error::CellError;
use super::compiler::of_message;
use super::diagnostics::Mark;
use super::message::Message;

/// The error of the Rust in `parts` of `code`, if a bracket, a string or a comment is closed wrongly or not at
/// all. The compiler need not see such a cell.
pub(crate) fn error(code: &str, parts: &[Part]) -> Option<CellError> {
    let rust = parts.iter().filter_map(|part| match part {
        Part::Rust(range) => Some(range),
        Part::Magic(_) => None,
    });
    let message = rust.into_iter().find_map(|range| unbalanced(code, range))?;
    Some(of_message(&message))
}

/// The message about the brackets, strings and comments in a range of `code`.
fn unbalanced(code: &str, range: &Range<usize>) -> Option<Message> {
    let rust = cell::without_commands(&code[range.clone()]);
    let start = range.end - rust.len();
    let statements = cell::rust(rust);
    let mark = |at: usize, length: usize, label: &str, primary| Mark {
        span: start + at..start + at + length,
        label: label.to_owned(),
        primary,
    };
    let (title, marks) = match statements.unbalanced()? {
        Unbalanced::Open { what, at } => (
            format!("{what} is not closed in this cell"),
            vec![mark(at, 1, "", true)],
        ),
        Unbalanced::Wrong(Closed { at, opened }) => {
            let bracket = &rust[at..=at];
            let mut marks = vec![mark(at, 1, "", true)];
            let title = match opened {
                Some(opened) => {
                    marks.push(mark(opened, 1, "open here", false));
                    format!("`{bracket}` does not close `{}`", &rust[opened..=opened])
                }
                None => format!("`{bracket}` closes nothing in this cell"),
            };
            (title, marks)
        }
    };
    Some(titled(title).at(code, marks))
}

/// The message about `code`; `None` if the cell does not end too early.
pub(super) fn message(code: &str) -> Option<Message> {
    let whole = 0..code.len();
    if let Some(message) = unbalanced(code, &whole) {
        return Some(message);
    }
    let Completeness::Incomplete { .. } = cell::rust(code).completeness() else {
        return None;
    };
    let end = code.trim_end().len();
    let mark = Mark {
        span: end..end,
        label: "the cell ends here".to_owned(),
        primary: true,
    };
    let message = titled("the last statement of the cell is not complete".to_owned());
    Some(message.at(code, vec![mark]))
}

fn titled(title: String) -> Message {
    Message {
        title,
        notes: Vec::<(Level<'static>, String)>::new(),
        ..Message::default()
    }
}
