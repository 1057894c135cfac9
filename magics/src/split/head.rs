//! The start of a magic: `%` or `%%` and the name, and the variable that takes the result.

use std::ops::Range;

/// The start of a magic. Ranges are bytes of the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Whether there are two `%`.
    pub(super) cell: bool,
    /// From the first character to the end of the name.
    pub(super) whole: Range<usize>,
    /// The `%` and the name.
    pub(super) sign: Range<usize>,
    /// The name, without `%`.
    pub(super) name: Range<usize>,
    /// The variable in front of `= %name`.
    pub(super) variable: Option<Range<usize>>,
    /// The user asks for help: `%name?` or `?%name`.
    pub(super) help: bool,
}

impl Head {
    /// Reads the head at the start of `text`, the rest of a line from the byte `offset` of the cell.
    pub(super) fn read(text: &str, offset: usize) -> Option<Self> {
        let text = text.trim_end();
        let at = |rest: &str| offset + text.len() - rest.len();
        let start = without_comments(text);
        let (variable, rest) = match variable(start) {
            Some((name, behind, value)) => {
                let end = at(behind);
                (Some(end - name.len()..end), value)
            }
            None => (None, start),
        };
        let asks_before = rest.starts_with('?') && variable.is_none();
        let rest = if asks_before {
            rest.trim_start_matches('?').trim_start()
        } else {
            rest
        };
        let sign = at(rest);
        let cell = rest.starts_with("%%");
        let rest = rest.strip_prefix(if cell { "%%" } else { "%" })?;
        let (name, behind) = word(rest)?;
        let asks_behind = behind.starts_with('?') && behind.trim_matches('?').trim().is_empty();
        let help = asks_before || asks_behind;
        // `%a::b` and `%f(x)` are not magics: the name must end here.
        if !(behind.is_empty() || behind.starts_with(char::is_whitespace) || help) {
            return None;
        }
        let end = at(behind);
        Some(Self {
            cell: cell && !help,
            whole: at(start)..end,
            sign: sign..end,
            name: end - name.len()..end,
            variable,
            help,
        })
    }
}

/// `text` without blanks and comments in front.
fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        let Some((_, behind)) = comment.split_once("*/") else {
            break;
        };
        rest = behind.trim_start();
    }
    rest
}

/// The name in `let name = …` or `name = …`, the text behind the name, and the text behind the `=`.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let mut rest = text;
    for keyword in ["let", "mut"] {
        if let Some((first, behind)) = word(rest)
            && first == keyword
        {
            rest = behind.trim_start();
        }
    }
    let (name, behind) = word(rest)?;
    let value = behind.trim_start().strip_prefix('=')?;
    Some((name, behind, value.trim_start()))
}

/// The word at the start of `text`, and the text behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let is_first = |c: char| c.is_alphabetic() || c == '_';
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    if !text.starts_with(is_first) {
        return None;
    }
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    Some(text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_a_name_and_perhaps_a_variable() {
        let read = |text: &str| {
            let head = Head::read(text, 0)?;
            let part = |range: Range<usize>| text[range].to_owned();
            Some((part(head.whole), part(head.name), head.variable.map(part)))
        };
        for (text, expected) in [
            ("%memit x", ("%memit", "memit", None)),
            ("  %%timeit", ("%%timeit", "timeit", None)),
            ("/* a */ %memit x", ("%memit", "memit", None)),
            (
                "let t = %timeit -o 1",
                ("let t = %timeit", "timeit", Some("t")),
            ),
            (
                "let mut é=%memit x",
                ("let mut é=%memit", "memit", Some("é")),
            ),
            ("r = %timeit x", ("r = %timeit", "timeit", Some("r"))),
            ("%memit?", ("%memit", "memit", None)),
        ] {
            let (whole, name, variable): (&str, &str, Option<&str>) = expected;
            let expected = (
                whole.to_owned(),
                name.to_owned(),
                variable.map(str::to_owned),
            );
            assert_eq!(read(text), Some(expected));
        }
        for text in [
            "",
            "%",
            "% memit",
            "%a::b",
            "%f(x)",
            "x %memit",
            "r == %memit",
            "let (a, b) = %memit x",
            "/* %memit x",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
