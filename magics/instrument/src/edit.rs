//! Text that is put into other text.

use proc_macro2::LineColumn;

/// Insertions into a source; none of them removes anything.
pub(crate) struct Edits<'a> {
    source: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
    /// Offset and text. Of those at one offset, the first is leftmost.
    insertions: Vec<(usize, String)>,
}

impl<'a> Edits<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        let starts = source.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            source,
            lines: std::iter::once(0).chain(starts).collect(),
            insertions: Vec::new(),
        }
    }

    /// Keeps a place left of what is inserted there from now on, for [`Self::fill`].
    pub(crate) fn reserve(&mut self, at: LineColumn) -> usize {
        self.insert(at, "");
        self.insertions.len() - 1
    }

    /// Inserts at a place that was kept.
    pub(crate) fn fill(&mut self, place: usize, text: String) {
        self.insertions[place].1 = text;
    }

    /// Inserts before the character at a place. Must not contain a line break.
    pub(crate) fn insert(&mut self, at: LineColumn, text: impl Into<String>) {
        let offset = self.offset(at);
        self.insertions.push((offset, text.into()));
    }

    /// What stands between two places.
    pub(crate) fn text(&self, start: LineColumn, end: LineColumn) -> &'a str {
        &self.source[self.offset(start)..self.offset(end)]
    }

    /// The source with everything inserted.
    pub(crate) fn apply(mut self) -> String {
        self.insertions.sort_by_key(|(offset, _)| *offset);
        let mut edited = String::with_capacity(2 * self.source.len());
        let mut copied = 0;
        for (offset, text) in &self.insertions {
            edited.push_str(&self.source[copied..*offset]);
            edited.push_str(text);
            copied = *offset;
        }
        edited + &self.source[copied..]
    }

    /// A column counts characters.
    fn offset(&self, at: LineColumn) -> usize {
        let line = &self.source[self.lines[at.line - 1]..];
        let column = line.char_indices().nth(at.column);
        self.lines[at.line - 1] + column.map_or(line.len(), |(offset, _)| offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        let mut edits = Edits::new("é = 1;\nü = 2;");
        edits.insert(LineColumn { line: 2, column: 4 }, "<");
        edits.insert(LineColumn { line: 1, column: 6 }, "|");
        edits.insert(LineColumn { line: 1, column: 0 }, ">");
        edits.insert(LineColumn { line: 2, column: 6 }, "$");
        assert_eq!(edits.apply(), ">é = 1;|\nü = <2;$");
    }
}
