//! Splits a cell into Rust and magics, in the order in which they run.

pub mod options;
mod shell_lines;
pub mod snippet;
pub mod syntax;

use std::ops::Range;

use crate::error::MagicError;
pub use shell_lines::set_rust_apart;
use syntax::Statements;

/// A piece of a cell. Ranges are bytes of the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Rust, or evcxr's commands.
    Rust(Range<usize>),
    /// A magic.
    Magic(MagicText),
}

/// The text of a magic in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MagicText {
    /// The name, without `%`.
    pub name: Range<usize>,
    /// The rest of the line behind the name.
    pub line: Range<usize>,
    /// The lines below a cell magic.
    pub body: Option<Range<usize>>,
    /// The user asks for help: `%name?` or `?%name`.
    pub help: bool,
}

/// Splits a cell.
///
/// `%name` is a magic at the start of a line where a new statement may begin. `%%name` is a magic
/// on the first line that is neither blank nor a comment.
///
/// # Errors
///
/// If `%%name` is further down, or if a `;` is missing above a magic.
pub fn split(cell: &str) -> Result<Vec<Part>, MagicError> {
    let mut parts = Vec::new();
    let mut rust_start = 0;
    for line in lines(cell) {
        let text = &cell[line.clone()];
        let Some(head) = Head::read(text, line.start) else {
            continue;
        };
        let before = &cell[rust_start..line.start];
        if !is_boundary(before) {
            if lacks_semicolon(before, text) {
                return Err(missing_semicolon(cell, rust_start, &head));
            }
            continue;
        }
        if head.cell && !Statements::parse(&cell[..line.start]).is_blank() {
            return Err(MagicError::new(
                format!(
                    "`%%{}` is not on the first line of the cell",
                    &cell[head.name.clone()]
                ),
                head.whole,
            )
            .with_help(
                "a `%%` magic takes the whole cell: move the lines above it to another cell",
            ));
        }
        push_rust(&mut parts, cell, rust_start..line.start);
        let body = head.cell.then_some(line.end.min(cell.len())..cell.len());
        let ends = body.is_some();
        parts.push(Part::Magic(MagicText {
            name: head.name,
            line: head.rest,
            body,
            help: head.help,
        }));
        if ends {
            return Ok(parts);
        }
        rust_start = line.end;
    }
    push_rust(&mut parts, cell, rust_start..cell.len());
    Ok(parts)
}

fn push_rust(parts: &mut Vec<Part>, cell: &str, range: Range<usize>) {
    if !cell[range.clone()].trim().is_empty() {
        parts.push(Part::Rust(range));
    }
}

/// The lines of a cell, with their line ends.
fn lines(cell: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    cell.split_inclusive('\n').map(move |line| {
        let range = start..start + line.len();
        start = range.end;
        range
    })
}

/// The lines of `cell` that look like magics but belong to the Rust around them, each with the bytes of
/// its name. The ranges begin at the `%`.
pub fn lines_like_magics(cell: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let parts = split(cell).unwrap_or_default().into_iter();
    let rust = parts.filter_map(|part| match part {
        Part::Rust(range) => Some(range),
        Part::Magic(_) => None,
    });
    let heads = rust.flat_map(|range| {
        let start = range.start;
        lines(&cell[range.clone()]).filter_map(move |line| {
            let text = &cell[start + line.start..start + line.end];
            Head::read(text, start + line.start)
        })
    });
    heads.map(|head| (head.whole, head.name)).collect()
}

/// The start of a line that looks like a magic.
struct Head {
    cell: bool,
    whole: Range<usize>,
    name: Range<usize>,
    rest: Range<usize>,
    help: bool,
}

impl Head {
    fn read(line: &str, offset: usize) -> Option<Self> {
        let text = line.trim_end();
        let indent = text.len() - text.trim_start().len();
        let mut rest = &text[indent..];
        let asks_before = rest.starts_with('?');
        rest = rest.trim_start_matches('?').trim_start();
        let cell = rest.starts_with("%%");
        rest = rest.strip_prefix(if cell { "%%" } else { "%" })?;
        if !rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        let name_length = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let name = offset + text.len() - rest.len();
        let name = name..name + name_length;
        let rest = &rest[name_length..];
        let asks_behind = !rest.is_empty() && rest.trim_matches('?').trim().is_empty();
        let help = asks_before || (asks_behind && rest.starts_with('?'));
        // `%a::b` and `%f(x)` are not magics: the name must end here.
        if !(rest.is_empty() || rest.starts_with(char::is_whitespace) || help) {
            return None;
        }
        let line_end = offset + text.len();
        Some(Self {
            cell: cell && !help,
            whole: offset + indent..line_end,
            rest: name.end..line_end,
            name,
            help,
        })
    }
}

/// Whether a statement may begin behind `before`.
fn is_boundary(before: &str) -> bool {
    rust(before).end_is_boundary()
}

/// Whether only a `;` behind `before` would make `line` a magic. `total\n%memit - 1` is Rust.
fn lacks_semicolon(before: &str, line: &str) -> bool {
    is_boundary(&format!("{before}\n;")) && !rust(&format!("{before}{line}\n;")).is_valid()
}

fn missing_semicolon(cell: &str, start: usize, head: &Head) -> MagicError {
    let end = start + cell[start..head.whole.start].trim_end().len();
    let line = cell[..head.whole.start].matches('\n').count() + 1;
    let message = format!("`;` is missing before line {line}");
    MagicError::new(message, end..end).with_help(format!(
        "`%{}` begins a new statement: end the one above it with `;`",
        &cell[head.name.clone()]
    ))
}

/// `code` without evcxr's commands and shell lines.
pub fn without_commands(code: &str) -> &str {
    split_commands(code).1
}

/// Parses the Rust in `code`.
pub fn rust(code: &str) -> Statements {
    Statements::parse(without_commands(code))
}

/// Splits `code` into evcxr's commands and shell lines, which come first, and the Rust behind them.
/// Blank lines and comments before the Rust belong to the commands.
pub fn split_commands(code: &str) -> (&str, &str) {
    let mut rest = code;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let text = line.trim_start();
        let is_command =
            line.starts_with('!') || (text.starts_with(':') && !text.starts_with("::"));
        if !is_command && !text.is_empty() && !text.starts_with("//") {
            break;
        }
        rest = &rest[line.len()..];
    }
    code.split_at(code.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Each part as text: Rust unchanged, magics as `[name|line|body]`.
    fn parts(cell: &str) -> Vec<String> {
        split(cell)
            .unwrap()
            .into_iter()
            .map(|part| match part {
                Part::Rust(range) => cell[range].to_owned(),
                Part::Magic(magic) => format!(
                    "[{}|{}{}{}]",
                    &cell[magic.name],
                    &cell[magic.line],
                    magic
                        .body
                        .map(|body| format!("|{}", &cell[body]))
                        .unwrap_or_default(),
                    if magic.help { "|help" } else { "" },
                ),
            })
            .collect()
    }

    #[test]
    fn magics_and_rust_mix() {
        assert_eq!(
            parts("let v = 1;\n%memit v\n  %timeit -n 1 v + 1\nv"),
            ["let v = 1;\n", "[memit| v]", "[timeit| -n 1 v + 1]", "v"]
        );
    }

    #[test]
    fn a_percent_sign_that_is_an_operator_or_in_a_string_is_no_magic() {
        for cell in [
            "let x = total\n  %memit;",
            "let s = \"\n%memit x\n\";",
            "/*\n%memit x\n*/",
            "f(a\n%memit)",
            "fn f() {\n%memit x\n}",
            "let y = a\n%b::c",
        ] {
            assert_eq!(parts(cell), [cell]);
        }
    }

    #[test]
    fn lines_in_the_rust_of_a_cell_may_look_like_magics() {
        let cell = "%memit x\nfor n in 0..3 {\n    %timeit n\n}\n%memit y";
        let found = lines_like_magics(cell);
        let found: Vec<_> = found
            .into_iter()
            .map(|(line, name)| (&cell[line], &cell[name]))
            .collect();
        assert_eq!(found, [("%timeit n", "timeit")]);
    }

    #[test]
    fn a_missing_semicolon_above_a_magic_is_named() {
        for (cell, at) in [
            ("let n = 1;\nn\n%memit n", 12),
            ("let m = 4 // four\n%timeit m", 17),
            ("println!(\"x\")\n\n%timeit -n 1 x + 1", 13),
        ] {
            let error = split(cell).unwrap_err();
            assert!(error.message.starts_with("`;` is missing before line "));
            assert_eq!(error.span, at..at, "{cell}");
        }
        for cell in [
            "total\n%memit - 1",
            "let x = total\n%memit",
            "f(a\n%memit x)",
        ] {
            assert_eq!(parts(cell), [cell]);
        }
    }

    #[test]
    fn a_magic_may_follow_commands_and_comments() {
        assert_eq!(
            parts(":dep regex = \"1\"\n// now\n%memit x"),
            [":dep regex = \"1\"\n// now\n", "[memit| x]"]
        );
        assert_eq!(parts("!ls -l\n%memit x"), ["!ls -l\n", "[memit| x]"]);
    }

    #[test]
    fn a_cell_magic_takes_the_rest_of_the_cell() {
        assert_eq!(
            parts("\n// how big?\n%%memit -r 2 let n = 3;\nf(n)\n%memit 1"),
            ["\n// how big?\n", "[memit| -r 2 let n = 3;|f(n)\n%memit 1]"]
        );
        assert_eq!(parts("/* a\n b */\n%%memit\nf()")[1], "[memit||f()]");
        let error = split("let x = 1;\n%%memit\nx").unwrap_err();
        assert_eq!(
            error.message,
            "`%%memit` is not on the first line of the cell"
        );
        assert_eq!(error.span, 11..18);
    }

    #[test]
    fn help_is_asked_for_on_either_side() {
        for cell in ["%memit?", "?%memit", "%memit??", "%%memit?", "? %memit"] {
            assert!(parts(cell)[0].ends_with("|help]"), "{cell}");
        }
        assert_eq!(parts("%memit x?"), ["[memit| x?]"]);
    }

    proptest! {
        #[test]
        fn the_parts_cover_the_cell_in_order(cell in "[%?a-c \n;{}()\"'/*é:!-]{0,60}") {
            if let Ok(parts) = split(&cell) {
                let mut at = 0;
                for part in parts {
                    let range = match part {
                        Part::Rust(range) => range,
                        Part::Magic(magic) => {
                            magic.name.start..magic.body.map_or(magic.line.end, |body| body.end)
                        }
                    };
                    prop_assert!(range.start >= at && range.end <= cell.len());
                    prop_assert!(cell.get(range.clone()).is_some());
                    at = range.end;
                }
            }
        }
    }
}
