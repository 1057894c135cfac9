//! Tells Rust from shell lines and commands, which evcxr knows by their first character.
//!
//! evcxr takes a line that begins with `!` for a shell line, and one that begins with `:` for a command, as
//! long as only such lines stand above. `!ready` and `::std::mem::swap(…)` are Rust all the same. A tab in
//! front of such a line keeps evcxr from looking at it.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Part, lines, split};
use crate::cell::rust;
use crate::cell::syntax::Statements;

/// The cell with a tab in front of each line of Rust that evcxr would not take for Rust. `is_variable`
/// knows the variables of the session: `!name` alone may be either.
pub fn set_rust_apart(cell: &str, is_variable: impl Fn(&str) -> bool) -> Cow<'_, str> {
    if !lines(cell).any(|line| may_be_mistaken(&cell[line])) {
        return Cow::Borrowed(cell);
    }
    let parts = split(cell).unwrap_or_default().into_iter();
    let parts = parts.filter_map(|part| match part {
        Part::Rust(range) => Some(range),
        Part::Magic(_) => None,
    });
    let mut bound = HashSet::new();
    let mut mistaken = Vec::new();
    for range in parts {
        let text = &cell[range.clone()];
        let is_known = |name: &str| bound.contains(name) || is_variable(name);
        mistaken.extend(mistaken_line(text, &is_known).map(|at| range.start + at));
        bound.extend(rust(text).bound_names());
    }
    let mut apart = cell.to_owned();
    for at in mistaken.into_iter().rev() {
        apart.insert(at, '\t');
    }
    Cow::Owned(apart)
}

fn may_be_mistaken(line: &str) -> bool {
    line.starts_with('!') || line.trim_start_matches(' ').starts_with("::")
}

/// Where the first line of Rust begins in `code`, if evcxr would not take it for Rust.
fn mistaken_line(code: &str, is_variable: &impl Fn(&str) -> bool) -> Option<usize> {
    for line in lines(code) {
        let text = &code[line.clone()];
        let is_rust = match text.trim_start_matches(' ') {
            text if text.starts_with("::") => true,
            _ if text.starts_with('!') => is_rust(&code[line.start..], is_variable),
            text if text.starts_with(':') || text.starts_with("//") => false,
            text if text.trim().is_empty() => false,
            _ => return None,
        };
        if is_rust {
            return Some(line.start);
        }
    }
    None
}

/// Whether the code, which begins with `!`, is Rust. `!ls -l` parses as a subtraction, so the first name
/// must be known or be used as only Rust uses names.
fn is_rust(code: &str, is_variable: &impl Fn(&str) -> bool) -> bool {
    let first = code.lines().next().unwrap_or_default();
    if ![code, first]
        .iter()
        .any(|code| Statements::parse(code).is_valid())
    {
        return false;
    }
    let operand = first.trim_start_matches(['!', ' ', '(', '*', '&', '-']);
    let end = operand.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, behind) = operand.split_at(end.unwrap_or(operand.len()));
    let begins_with = |marks: &[&str]| marks.iter().any(|mark| behind.starts_with(mark));
    let is_method = || {
        let called =
            behind.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        behind.starts_with('.') && (called.starts_with('(') || called.starts_with("::<"))
    };
    match name {
        "" | "true" | "false" | "self" | "matches" | "if" | "match" => true,
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => true,
        // A constant: programs rarely have such names.
        _ if name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()) =>
        {
            true
        }
        _ => is_variable(name) || begins_with(&["(", "::", "!(", "![", "["]) || is_method(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(cell: &str) -> Cow<'_, str> {
        set_rust_apart(cell, |name| ["ready", "v", "yes"].contains(&name))
    }

    #[test]
    fn rust_that_looks_like_a_shell_line_or_a_command_is_set_apart() {
        for cell in [
            "!ready",
            "!v.is_empty()",
            "!true",
            "!false && ready",
            "!!yes",
            "!(1 == 2)",
            "!0u8",
            "!matches!(v.len(), 3)",
            "!list.iter().any(|n| *n > 3)",
            "!READY",
            "!is_ready()",
            "!std::path::Path::new(\"x\").exists()",
            "!yes - no",
            "!v\n    .is_empty()",
            "::std::mem::size_of::<u8>()",
        ] {
            assert_eq!(apart(cell), format!("\t{cell}"));
        }
        assert_eq!(
            apart("  ::std::mem::size_of::<u8>()"),
            "\t  ::std::mem::size_of::<u8>()"
        );
        assert_eq!(
            apart(":dep x = \"1\"\n// now\n!ready\n!yes"),
            ":dep x = \"1\"\n// now\n\t!ready\n!yes"
        );
        assert_eq!(apart("!ls\n!ready"), "!ls\n\t!ready");
        assert_eq!(
            apart("%memit v\n!ready\n%memit v"),
            "%memit v\n\t!ready\n%memit v"
        );
    }

    #[test]
    fn a_name_that_the_cell_binds_is_a_variable() {
        let cell = "let known = true;\n!known";
        assert_eq!(apart(cell), "let known = true;\n\t!known");
        assert_eq!(apart("let a = 1;\n!known"), "let a = 1;\n!known");
    }

    #[test]
    fn shell_lines_commands_and_other_rust_stay() {
        for cell in [
            "!ls",
            "!ls -l",
            "!ls -l | wc -l",
            "!git --version",
            "!cat file.txt",
            "!./run.sh",
            "!a.out",
            "!echo hello",
            "!date; pwd",
            ":dep x = \"1\"",
            ":vars",
            "let a = 1;\n!ls",
            "let s = \"\n!ready\n\";",
            "1 + 1",
        ] {
            assert_eq!(apart(cell), cell);
        }
    }
}
