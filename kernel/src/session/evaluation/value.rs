//! Shows the value of a cell.
//!
//! evcxr shows the value of `expression` by compiling `(expression).evcxr_display()`; if that
//! fails, it compiles again with the `Debug` format. While no type in the session can have an
//! `evcxr_display`, the first attempt is known to fail, and memit skips it. The compiler knows whether
//! the dependencies have such a type.

use std::ops::Range;

use memit_magics::cell;
use memit_magics::cell::syntax::Statements;
use memit_measurement::message::VALUE;

/// A source that is ready for evcxr.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) source: String,
    /// The line, counted from 1, behind which a line of the original source was split.
    inserted: Option<usize>,
    /// The line of the original source on which its value ends.
    last: usize,
}

impl Prepared {
    /// A source that evcxr evaluates unchanged.
    pub(crate) fn unchanged(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            inserted: None,
            last: 0,
        }
    }

    /// Maps a line of the prepared source to a line of the original source.
    pub(crate) fn line(&self, line: usize) -> usize {
        match self.inserted {
            Some(inserted) if line > inserted => (line - 1).min(self.last),
            _ => line,
        }
    }
}

/// Replaces the value of `source` by a statement that shows the value.
pub(crate) fn shown(source: &str) -> Prepared {
    let (commands, rust) = cell::split_commands(source);
    let start = commands.len();
    let statements = Statements::parse(rust);
    let value = statements.value().filter(|_| statements.is_valid());
    let Some(Range {
        start: from,
        end: to,
    }) = value.map(|v| v.start + start..v.end + start)
    else {
        return Prepared::unchanged(source);
    };
    let (before, value, after) = (&source[..from], &source[from..to], &source[to..]);
    // On a separate line with the same indentation, so that its columns are those of the cell.
    let column = before.chars().rev().take_while(|c| *c != '\n').count();
    let indent = " ".repeat(column);
    Prepared {
        source: format!(
            "{before}match &(\n{indent}{value}\n) {{ value => \
             ::memit_session::show_value!({VALUE:?}, value) }};{after}"
        ),
        inserted: Some(before.matches('\n').count() + 1),
        last: source[..to].matches('\n').count() + 1,
    }
}

/// evcxr's commands that can change how values are shown.
const CHANGING: [&str; 3] = [":fmt", ":types", ":load_config"];

/// Whether `source` adds a dependency, which may have types that display themselves.
pub(crate) fn adds_dependency(source: &str) -> bool {
    let (commands, _) = cell::split_commands(source);
    commands
        .lines()
        .any(|line| line.trim_start().starts_with(":dep"))
}

/// Whether `source` may add types that display themselves, or change how values are shown.
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
    fn the_value_keeps_its_columns_and_lines_can_be_mapped() {
        let prepared = shown("let x = 1; x + 1 // why");
        insta::assert_snapshot!(prepared.source, @r#"
        let x = 1; match &(
                   x + 1
        ) { value => ::memit_session::show_value!("text/plain;memit-value", value) }; // why
        "#);
        assert_eq!([1, 2, 3].map(|line| prepared.line(line)), [1, 1, 1]);
    }

    #[test]
    fn a_source_without_a_value_stays_unchanged() {
        for source in ["let x = 1;", "", "x;", "for i in 0..3 {}", "1 +"] {
            assert_eq!(shown(source), Prepared::unchanged(source));
        }
    }

    #[test]
    fn dependencies_and_displays_are_noticed() {
        assert!(changes_display(":fmt {}\n1"));
        assert!(adds_dependency("// Charts\n:dep plotters\n1") && !adds_dependency(":vars\n1"));
        assert!(changes_display("impl X { fn evcxr_display(&self) {} }"));
        assert!(!changes_display(":vars\n1 + 1"));
    }
}
