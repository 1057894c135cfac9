//! How far the statements behind a magic go.
//!
//! A line magic takes the rest of its line. Statements that are not over at the end of the line go on: in
//! the next line if a bracket is open or an operand is missing, and if the next line begins with what no
//! statement begins with.

use crate::cell::syntax::{Closed, Completeness, Statements};

/// What stands around the statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// Nothing: a line magic at the top of the cell.
    Cell,
    /// The first line of a cell magic: the lines below are its body.
    FirstLine,
    /// A block, whose `}` ends the statements.
    Block,
}

/// The end of the statements that begin at the byte `start` of `cell`. `is_value` says that they are the
/// value of a `let`, which a `;` ends.
pub(super) fn end(cell: &str, start: usize, within: Within, is_value: bool) -> usize {
    let first = line_end(cell, start);
    let mut end = first;
    loop {
        let text = &cell[start..end];
        let statements = Statements::parse(text);
        if let (Within::Block, Some(Closed { at, opened: None })) =
            (within, statements.wrongly_closed())
        {
            return start + text[..at].trim_end().len();
        }
        if let Some(at) = statements.first_semicolon().filter(|_| is_value) {
            return start + at;
        }
        let is_over = statements.is_blank()
            || !(needs_more(text, &statements)
                || within != Within::FirstLine && goes_on(&statements, &cell[end..]));
        if is_over {
            return end;
        }
        if end == cell.len() {
            let is_open = statements.unclosed().is_some() || statements.unterminated().is_some();
            return if is_open && within == Within::Cell {
                end
            } else {
                first
            };
        }
        end = line_end(cell, end + 1);
        if Statements::parse(&cell[start..end]).completeness() == Completeness::Invalid
            && within != Within::Block
        {
            return first;
        }
    }
}

/// The end of the line on which the byte `at` lies, without its line break.
fn line_end(cell: &str, at: usize) -> usize {
    cell[at..].find('\n').map_or(cell.len(), |end| at + end)
}

/// Whether the text cannot end here. A `;` may be missing.
fn needs_more(text: &str, statements: &Statements) -> bool {
    match statements.completeness() {
        Completeness::Incomplete { depth: 0 } => {
            statements.unterminated().is_some()
                || !Statements::parse(&format!("{text}\n;")).is_valid()
        }
        Completeness::Incomplete { .. } => true,
        Completeness::Complete | Completeness::Invalid => false,
    }
}

/// What a line that goes on with an expression begins with, and no statement does.
const GOING_ON: &[&str] = &[
    ".", "?", "&&", "||", "==", "!=", "=", "+", "^", ">", "as ", "/ ",
];

/// Whether the statements go on in the lines below.
fn goes_on(statements: &Statements, below: &str) -> bool {
    let Some(last) = statements.last_token().filter(|last| last != ";") else {
        return false;
    };
    let mut lines = below.lines().map(str::trim_start);
    let next = lines.find(|line| !line.is_empty() && !line.starts_with("//"));
    next.is_some_and(|next| {
        let is_else = || {
            let behind = next.strip_prefix("else");
            last == "}" && behind.is_some_and(|behind| !behind.starts_with(char::is_alphanumeric))
        };
        super::head::Head::read(next, 0).is_none()
            && (GOING_ON.iter().any(|sign| next.starts_with(sign)) || is_else())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_cell(cell: &str) -> &str {
        &cell[..end(cell, 0, Within::Cell, false)]
    }

    #[test]
    fn statements_go_on_until_they_are_over() {
        for whole in [
            "v.iter()\n    .sum::<u64>()",
            "v.iter() // all\n\n    // of them\n    .sum::<u64>()?\n    .abs()",
            "vec![\n1u8; 9\n]",
            "if a > 2 {\n1\n} else {\n0\n}",
            "if a > 2 {\n1\n}\nelse {\n0\n}",
            "for n in 0..3\n{\nf(n)\n}",
            "match x\n{\n_ => 1\n}",
            "a +\nb",
            "a\n + b",
            "let a = f(\n1,\n); a\n.len()",
            "\"a\nb\".len()",
            "foo(|x| {\n x\n})\n? // now",
            "x\n as u8",
        ] {
            assert_eq!(of_cell(whole), whole);
            let more = format!("{whole}\nlet y = 3;\ny");
            assert_eq!(of_cell(&more), whole, "{more}");
        }
    }

    #[test]
    fn a_statement_that_is_over_ends_with_its_line() {
        for cell in [
            "v\nlet y = 3;",
            "v;\n.len()",
            "v.len()\n*counter += 1;",
            "v.len()\n-1",
            "v\n&w",
            "v\n(1)",
            "v\n%memit v",
            "v\n?%memit",
            "let a = vec![1]\nlet b = 2;",
            "x +\nlet y = 3;",
            "x)\n.y",
            "\n.y",
            "// none\n.y",
            "if a { 1 }\nelsewhere()",
        ] {
            let (first, _) = cell.split_once('\n').unwrap();
            assert_eq!(of_cell(cell), first, "{cell}");
        }
        // A bracket that is never closed takes all.
        assert_eq!(of_cell("f(1,\nlet y = 3;"), "f(1,\nlet y = 3;");
    }

    #[test]
    fn a_block_or_a_let_ends_the_statements() {
        let in_block = |cell: &str| end(cell, 0, Within::Block, false);
        assert_eq!(in_block("f(n) } g()"), 4);
        assert_eq!(in_block("{ f(n) }\n}"), 8);
        assert_eq!(in_block("f(\n1)\n.x }"), 8);
        assert_eq!(in_block("f()\n}\n"), 3);
        let value = |cell: &str| end(cell, 0, Within::Cell, true);
        assert_eq!(value("1 + 1; foo"), 5);
        assert_eq!(value("{ 1; 2 }\nfoo"), 8);
        assert_eq!(value("f(\n1);"), 5);
    }

    #[test]
    fn the_first_line_of_a_cell_magic_goes_on_only_if_it_must() {
        let first = |cell: &str| end(cell, 0, Within::FirstLine, false);
        assert_eq!(first("let v = f();\n.x"), 12);
        assert_eq!(first("let v = vec![\n1];\nv"), 17);
        assert_eq!(first("v\n.x"), 1);
    }
}
