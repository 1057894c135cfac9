//! Writes constants around calls, so that the user's text stays in its columns and lines can be
//! mapped back.

use super::statements::Call;
use crate::compiler::marks;

/// A source with other lines between those of the user.
pub(crate) struct Rewritten {
    pub(crate) source: String,
    /// The line of the original source for each line; empty if the lines are the same.
    lines: Vec<usize>,
}

impl Rewritten {
    pub(super) fn unchanged(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            lines: Vec::new(),
        }
    }

    /// Maps a line of the rewritten source to a line of the original source.
    pub(crate) fn line(&self, line: usize) -> usize {
        let original = self.lines.get(line.saturating_sub(1));
        original.or(self.lines.last()).copied().unwrap_or(line)
    }
}

pub(super) struct Rewriting<'a> {
    source: &'a str,
    /// Where the Rust starts.
    start: usize,
    /// Insertions at bytes of the source, in order.
    insertions: Vec<(usize, String)>,
    /// Semicolons to leave out.
    left_out: Vec<usize>,
}

impl<'a> Rewriting<'a> {
    pub(super) fn new(source: &'a str, start: usize) -> Self {
        Self {
            source,
            start,
            insertions: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Puts `call` into the constant `mark`. `analysed` follows the constant.
    pub(super) fn keep(&mut self, call: &Call, mark: &str, analysed: &str) {
        let start = self.start + call.range.start;
        let end = self.start + call.range.end;
        let (above, below) = marks::around_call(mark);
        self.insertions
            .push((start, format!("\n{above}\n{}", self.indent(start))));
        let semicolon = if call.has_end || call.has_braces {
            ""
        } else {
            ";"
        };
        // Behind the braces of an item, a semicolon would be an error.
        if call.has_end && call.has_braces {
            self.left_out.push(end - 1);
        }
        let below = format!("{semicolon}\n{below} {analysed}\n{}", self.indent(end));
        self.insertions.push((end, below));
    }

    /// Blanks as wide as the text before the byte `at` of its line.
    fn indent(&self, at: usize) -> String {
        let before = &self.source[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        " ".repeat(before[line_start..].chars().count())
    }

    /// Ends the items and constants with these names, in front of the Rust.
    pub(super) fn end<'b>(&mut self, names: impl IntoIterator<Item = &'b String>) {
        let ended: String = names.into_iter().map(|name| marks::end(name)).collect();
        if !ended.is_empty() {
            self.insertions.insert(0, (self.start, ended + "\n"));
        }
    }

    pub(super) fn done(self) -> Rewritten {
        if self.insertions.is_empty() {
            return Rewritten::unchanged(self.source);
        }
        let mut source = String::with_capacity(self.source.len());
        let mut lines = vec![1];
        let mut line = 1;
        let mut copied = 0;
        for (at, inserted) in self
            .insertions
            .iter()
            .map(|(at, text)| (*at, &**text))
            .chain([(self.source.len(), "")])
        {
            for (byte, c) in self.source[copied..at].char_indices() {
                let is_left_out = self.left_out.contains(&(copied + byte));
                source.push(if is_left_out { ' ' } else { c });
                if c == '\n' {
                    line += 1;
                    lines.push(line);
                }
            }
            source.push_str(inserted);
            lines.extend(inserted.matches('\n').map(|_| line));
            copied = at;
        }
        Rewritten { source, lines }
    }
}
