//! The value of a cell.
//!
//! evcxr shows the value of `expression` by compiling `(expression).evcxr_display()` and, when that
//! fails, by compiling once more with the `Debug` format. As long as nothing in the session can have
//! an `evcxr_display`, the first try is known to fail, and is left out.

use std::ops::Range;

use memit_magics::cell;
use memit_magics::syntax::Statements;

/// A source as evcxr gets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) source: String,
    /// The line, from 1, that stands before what was the rest of a line.
    inserted: Option<usize>,
    /// The last line of the original source up to the end of its value.
    last: usize,
}

impl Prepared {
    /// A source that is evaluated as it is.
    pub(crate) fn as_it_is(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            inserted: None,
            last: 0,
        }
    }

    /// The line of the original source that `line` is.
    pub(crate) fn line(&self, line: usize) -> usize {
        match self.inserted {
            Some(inserted) if line > inserted => (line - 1).min(self.last),
            _ => line,
        }
    }
}

/// Makes the value of `source` a statement that shows it in the `Debug` format.
pub(crate) fn show_debug(source: &str) -> Prepared {
    let (commands, rust) = cell::split_commands(source);
    let start = commands.len();
    let statements = Statements::parse(rust);
    let value = statements.value().filter(|_| statements.is_valid());
    let Some(Range {
        start: from,
        end: to,
    }) = value.map(|v| v.start + start..v.end + start)
    else {
        return Prepared::as_it_is(source);
    };
    let (before, value, after) = (&source[..from], &source[from..to], &source[to..]);
    // On a line of its own, so that its columns are those of the cell.
    let column = before.chars().rev().take_while(|c| *c != '\n').count();
    let indent = " ".repeat(column);
    Prepared {
        source: format!(
            "{before}match &(\n{indent}{value}\n) {{ value => \
             println!(\"EVCXR_BEGIN_CONTENT text/plain\\n{{:?}}\\nEVCXR_END_CONTENT\", value) }};{after}"
        ),
        inserted: Some(before.matches('\n').count() + 1),
        last: source[..to].matches('\n').count() + 1,
    }
}

/// evcxr's commands that do.
const CHANGING: [&str; 4] = [":dep", ":fmt", ":types", ":load_config"];

/// Whether `source` may bring types that display themselves, or change how values are shown.
pub(crate) fn changes_display(source: &str) -> bool {
    let (commands, _) = cell::split_commands(source);
    let changes = |line: &str| {
        CHANGING
            .iter()
            .any(|command| line.trim_start().starts_with(command))
    };
    commands.lines().any(changes)
        || source.contains("evcxr_display")
        || source.contains("extern crate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_keeps_its_columns_and_lines_can_be_told() {
        let prepared = show_debug("let x = 1; x + 1 // why");
        insta::assert_snapshot!(prepared.source, @r#"
        let x = 1; match &(
                   x + 1
        ) { value => println!("EVCXR_BEGIN_CONTENT text/plain\n{:?}\nEVCXR_END_CONTENT", value) }; // why
        "#);
        assert_eq!([1, 2, 3].map(|line| prepared.line(line)), [1, 1, 1]);
    }

    #[test]
    fn what_has_no_value_stays_as_it_is() {
        for source in ["let x = 1;", "", "x;", "for i in 0..3 {}", "1 +"] {
            assert_eq!(show_debug(source), Prepared::as_it_is(source));
        }
    }

    #[test]
    fn dependencies_and_displays_are_noticed() {
        assert!(changes_display(":dep plotters\n1"));
        assert!(changes_display("impl X { fn evcxr_display(&self) {} }"));
        assert!(!changes_display(":vars\n1 + 1"));
    }
}
