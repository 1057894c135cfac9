//! Receives the outputs of a running cell.

use serde_json::{Map, Value};

use super::bundle;

/// Data by MIME type, like the `data` field of Jupyter's messages.
pub(crate) type MimeBundle = Map<String, Value>;

/// One of the two text streams of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The name that Jupyter gives the stream.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Receives the outputs of a running cell. Called from more than one thread.
///
/// By default an implementation displays results and settled previews, and drops everything else.
pub(crate) trait Output: Send + Sync {
    /// Receives text that the cell wrote; not necessarily whole lines.
    fn stream(&self, _stream: Stream, _text: &str) {}
    /// Shows rich data (`display_data`).
    fn display(&self, _data: MimeBundle) {}
    /// Shows an unfinished version of the data that [`Self::settle`] will show. Each preview
    /// replaces the one before.
    fn preview(&self, _data: MimeBundle) {}
    /// Shows rich data, in place of its preview if there is one.
    fn settle(&self, data: MimeBundle) {
        self.display(data);
    }
    /// Shows the value of the cell (`execute_result`).
    fn result(&self, data: MimeBundle) {
        self.display(data);
    }
    /// Removes everything that the cell has shown: at once, or, if `wait`, when the next output
    /// arrives.
    fn clear(&self, _wait: bool) {}
    /// Replaces the text of the cell in the front-end by another text. Where nobody edits the cell, the
    /// text is shown.
    fn next_input(&self, text: &str) {
        self.display(bundle::of_text(text));
    }
    /// Says what the cell is waiting for; `None` when the wait is over.
    fn progress(&self, _text: Option<&str>) {}
}
