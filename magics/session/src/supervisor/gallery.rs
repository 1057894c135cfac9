//! Gathers rich contents into outputs.
//!
//! Code displays a value by printing its content once for each MIME type. Nothing marks where one
//! value ends and the next begins, so the types must tell: a type that the output already has, or a
//! second type besides plain text, begins another output. So does text on standard output.

use memit_measurement::Displayed;

const PLAIN: &str = "text/plain";

/// The output that may still get another representation.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    pending: Vec<(String, String)>,
    /// The value of the cell, if the cell has shown it.
    value: Option<String>,
}

impl Gallery {
    /// Adds a content. Returns the pending output if the content begins another.
    pub(super) fn add(&mut self, mime: String, content: String) -> Option<Displayed> {
        let others =
            |(other, _): &(String, String)| *other == mime || (mime != PLAIN && other != PLAIN);
        let before = if self.pending.iter().any(others) {
            self.take(false)
        } else {
            None
        };
        self.pending.push((mime, content));
        before
    }

    /// Adds the value of the cell. Returns the pending output, which is another.
    pub(super) fn add_value(&mut self, text: String) -> Option<Displayed> {
        self.value = Some(text);
        self.take(false)
    }

    /// Ends the cell: takes the last output, or the value. `is_well` says that the cell has not failed.
    pub(super) fn end(&mut self, is_well: bool) -> impl Iterator<Item = Displayed> {
        let value = self.value.take().map(|text| Displayed {
            contents: vec![(PLAIN.to_owned(), text)],
            last: is_well,
        });
        let pending = self.take(is_well && value.is_none());
        pending.into_iter().chain(value)
    }

    /// Ends the pending output. `last` says that the cell has ended with the output.
    pub(super) fn take(&mut self, last: bool) -> Option<Displayed> {
        let contents = std::mem::take(&mut self.pending);
        (!contents.is_empty()).then_some(Displayed { contents, last })
    }

    /// Whether an output is pending.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The MIME types of the outputs that contents of these types make.
    fn outputs(types: &[&str]) -> Vec<Vec<String>> {
        let mut gallery = Gallery::default();
        let mut all: Vec<_> = types
            .iter()
            .filter_map(|mime| gallery.add((*mime).to_owned(), String::new()))
            .collect();
        all.extend(gallery.take(true));
        all.into_iter()
            .map(|output| output.contents.into_iter().map(|(mime, _)| mime).collect())
            .collect()
    }

    #[test]
    fn plain_text_belongs_to_the_richer_content_beside_it() {
        assert_eq!(
            outputs(&["text/plain", "text/html"]),
            [["text/plain", "text/html"]]
        );
        assert_eq!(
            outputs(&["text/html", "text/plain"]),
            [["text/html", "text/plain"]]
        );
    }

    #[test]
    fn two_of_a_kind_are_two_outputs() {
        assert_eq!(
            outputs(&["text/html", "text/html"]),
            [["text/html"], ["text/html"]]
        );
        assert_eq!(
            outputs(&["text/plain", "text/plain"]),
            [["text/plain"], ["text/plain"]]
        );
        assert_eq!(
            outputs(&["image/png", "text/html"]),
            [["image/png"], ["text/html"]]
        );
    }

    #[test]
    fn the_value_is_the_last_output() {
        let mut gallery = Gallery::default();
        assert_eq!(
            gallery.add("text/html".to_owned(), "chart".to_owned()),
            None
        );
        let chart = gallery.add_value("5".to_owned()).unwrap();
        assert_eq!(
            chart.contents,
            [("text/html".to_owned(), "chart".to_owned())]
        );
        assert_eq!(gallery.add("text/html".to_owned(), "late".to_owned()), None);
        let ended: Vec<_> = gallery
            .end(true)
            .map(|output| (output.contents[0].1.clone(), output.last))
            .collect();
        assert_eq!(ended, [("late".to_owned(), false), ("5".to_owned(), true)]);
        assert_eq!(gallery.end(true).count(), 0);
    }

    #[test]
    fn nothing_is_no_output() {
        assert_eq!(Gallery::default().take(true), None);
    }
}
