//! Where the outputs of a cell go, as they happen.

use serde_json::{Map, Value};

/// Data by MIME type, as Jupyter's `data` field has it.
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
pub(crate) trait Output: Send + Sync {
    /// Text that the cell wrote; not necessarily whole lines.
    fn stream(&self, stream: Stream, text: &str);
    /// Something rich to show (`display_data`).
    fn display(&self, data: MimeBundle);
    /// What [`Self::settle`] is going to show, as far as it has come; each takes the place of the one
    /// before.
    fn preview(&self, data: MimeBundle);
    /// Something rich to show, in the place of its preview if there is one.
    fn settle(&self, data: MimeBundle);
    /// The value of the cell (`execute_result`).
    fn result(&self, data: MimeBundle);
    /// Take away what the cell has shown; if `wait`, when the next output comes.
    fn clear(&self, wait: bool);
    /// What the cell waits for, until that is over (`None`).
    fn progress(&self, text: Option<&str>);
}
