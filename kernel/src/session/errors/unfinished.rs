//! The error of a cell that ends too early. The compiler would complain about evcxr's code behind
//! the cell.

use annotate_snippets::Level;
use memit_magics::cell;
use memit_magics::cell::syntax::Completeness;

use super::diagnostics::Mark;
use super::message::Message;

/// The message about `code`; `None` if the cell does not end too early.
pub(super) fn message(code: &str) -> Option<Message> {
    let statements = cell::rust(code);
    let start = code.len() - cell::without_commands(code).len();
    if let Some((bracket, at)) = statements.unclosed() {
        let mark = Mark {
            span: start + at..start + at + bracket.len_utf8(),
            label: String::new(),
            primary: true,
        };
        return Some(
            titled(format!("`{bracket}` is not closed in this cell")).at(code, vec![mark]),
        );
    }
    let Completeness::Incomplete { .. } = statements.completeness() else {
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
