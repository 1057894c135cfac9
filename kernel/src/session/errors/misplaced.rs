//! The error of a magic where no statement of the cell begins. The compiler takes its `%` for the
//! remainder of a division.

use std::ops::Range;

use annotate_snippets::Level;
use memit_magics::cell;
use memit_magics::magic::Form;
use memit_magics::registry;
use memit_magics::split;

use super::diagnostics::Mark;
use super::message::Message;

const WHERE: &str = "a magic stands where a statement may begin, and not within an expression";

/// The message about a misplaced magic in `code`, whose first error is `first`; `None` if there is no
/// misplaced magic.
pub(super) fn message(code: &str, first: Option<&Message>) -> Option<Message> {
    let span = on_a_line(code).or_else(|| in_a_line(code, first?))?;
    let name = code[span.start + 1..].split(|c| !is_of_name(c)).next()?;
    let magic = registry::find(name)?;
    let mut help = vec![WHERE.to_owned()];
    if magic.form() == Form::Both {
        help.push(format!(
            "`%%{name}` on the first line measures the whole cell"
        ));
    }
    let mark = Mark {
        span,
        label: String::new(),
        primary: true,
    };
    let message = Message {
        title: format!("`%{name}` cannot stand here"),
        notes: help.into_iter().map(|help| (Level::HELP, help)).collect(),
        ..Message::default()
    };
    Some(message.at(code, vec![mark]))
}

/// The first line that looks like a magic, if the Rust is valid without such lines only.
fn on_a_line(code: &str) -> Option<Range<usize>> {
    let mut found = split::lines_like_magics(code);
    found.retain(|(_, name)| registry::find(&code[name.clone()]).is_some());
    let (first, _) = found.first()?;
    // A `;` may be missing above the magic, too.
    let is_valid_with = |instead: &str| {
        let mut code = code.to_owned();
        for (line, _) in found.iter().rev() {
            code.replace_range(line.clone(), instead);
        }
        cell::rust(&code).is_valid()
    };
    (!cell::rust(code).is_valid() && ["", ";"].into_iter().any(is_valid_with))
        .then(|| first.clone())
}

/// The magic that the error is about, if it begins within a line.
fn in_a_line(code: &str, error: &Message) -> Option<Range<usize>> {
    let start = error.place_in_cell()?.start;
    let name = code[start..].strip_prefix('%')?;
    let length = name.find(|c| !is_of_name(c)).unwrap_or(name.len());
    Some(start..start + 1 + length)
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_magic_in_an_expression_is_misplaced_and_a_remainder_is_not() {
        let found = |code: &str| on_a_line(code).map(|span| code[span].to_owned());
        for code in [
            "match x {\n    %timeit x\n}",
            "fn f() {\n    let n = 1\n    %timeit x\n}\n",
            "f(\n%timeit x\n)",
        ] {
            assert_eq!(found(code).as_deref(), Some("%timeit x"), "{code}");
        }
        for code in [
            "f(a\n%timeit)",
            "let s = \"\n%timeit x\n\";",
            "for x in 0..3 {\n    %timeitt x\n}",
            "for x in 0..3 {\n    %timeit x\n",
            "%timeit x",
        ] {
            assert_eq!(found(code), None, "{code}");
        }
    }
}
