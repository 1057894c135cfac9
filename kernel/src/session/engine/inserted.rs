//! Lines of the kernel's own between the lines of a source.

/// A source with inserted lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    pub(crate) source: String,
    /// The line of the original source for each line, both counted from 1; `None` for an inserted
    /// line.
    lines: Vec<Option<usize>>,
}

impl Inserted {
    /// Inserts a line at each of these bytes of `source`, in this order. A line that is split keeps
    /// the columns of its second part.
    pub(crate) fn new(source: &str, insertions: &[(usize, String)]) -> Self {
        let mut inserted = Self::default();
        let mut line = 1;
        let mut copied = 0;
        for (at, text) in insertions {
            let before = &source[copied..*at];
            inserted.source.push_str(before);
            for _ in before.matches('\n') {
                inserted.lines.push(Some(line));
                line += 1;
            }
            copied = *at;
            let column = source[..*at]
                .chars()
                .rev()
                .take_while(|c| *c != '\n')
                .count();
            if column > 0 {
                inserted.source.push('\n');
                inserted.lines.push(Some(line));
            }
            inserted.source.push_str(text);
            inserted.source.push('\n');
            inserted.lines.push(None);
            inserted.source.extend(std::iter::repeat_n(' ', column));
        }
        let rest = &source[copied..];
        inserted.source.push_str(rest);
        let lines = rest.matches('\n').count() + 1;
        inserted.lines.extend((line..line + lines).map(Some));
        inserted
    }

    /// The line of the original source.
    pub(crate) fn original(&self, line: usize) -> Option<usize> {
        self.lines.get(line.checked_sub(1)?).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_can_be_mapped() {
        let source = "\nlet a = 1; let é = 2; a\nb";
        let at = |part: &str| source.find(part).unwrap();
        let insertions = [
            (at("let a"), "first".to_owned()),
            (at("let é"), "{".to_owned()),
            (at(" a\n"), "}".to_owned()),
        ];
        let inserted = Inserted::new(source, &insertions);
        insta::assert_snapshot!(inserted.source, @r"

        first
        let a = 1; 
        {
                   let é = 2;
        }
                              a
        b
        ");
        let lines: Vec<_> = (1..=9).map(|line| inserted.original(line)).collect();
        let expected = [
            Some(1),
            None,
            Some(2),
            None,
            Some(2),
            None,
            Some(2),
            Some(3),
            None,
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn nothing_inserted_changes_nothing() {
        let inserted = Inserted::new("a\nb\n", &[]);
        assert_eq!(inserted.source, "a\nb\n");
        assert_eq!(inserted.original(3), Some(3));
        assert_eq!(inserted.original(4), None);
    }
}
