//! Changes a source so that the user's text stays in its columns and lines can be mapped back.

use std::ops::Range;

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

/// Insertions into a source, and pieces of the source to leave out.
pub(super) struct Rewriting<'a> {
    source: &'a str,
    /// Insertions at bytes of the source, in order.
    insertions: Vec<(usize, String)>,
    left_out: Vec<Range<usize>>,
}

impl<'a> Rewriting<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            insertions: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Inserts text behind all earlier insertions.
    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.insertions.push((at, text));
    }

    /// Inserts text before all earlier insertions.
    pub(super) fn insert_before_others(&mut self, at: usize, text: String) {
        self.insertions.insert(0, (at, text));
    }

    /// Replaces characters by blanks.
    pub(super) fn leave_out(&mut self, range: Range<usize>) {
        self.left_out.push(range);
    }

    /// Blanks as wide as the text before the byte `at` of its line.
    pub(super) fn indent(&self, at: usize) -> String {
        let before = &self.source[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        " ".repeat(before[line_start..].chars().count())
    }

    pub(super) fn done(self) -> Rewritten {
        if self.insertions.is_empty() && self.left_out.is_empty() {
            return Rewritten::unchanged(self.source);
        }
        let mut source = String::with_capacity(self.source.len());
        let mut lines = vec![1];
        let mut line = 1;
        let mut copied = 0;
        let end = (self.source.len(), String::new());
        for (at, inserted) in self.insertions.into_iter().chain([end]) {
            for (byte, c) in self.source[copied..at].char_indices() {
                let byte = copied + byte;
                let is_left_out = self.left_out.iter().any(|range| range.contains(&byte));
                source.push(if is_left_out && c != '\n' { ' ' } else { c });
                if c == '\n' {
                    line += 1;
                    lines.push(line);
                }
            }
            source.push_str(&inserted);
            lines.extend(inserted.matches('\n').map(|_| line));
            copied = at;
        }
        Rewritten { source, lines }
    }
}
