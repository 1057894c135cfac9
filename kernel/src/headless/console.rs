//! Prints outputs as text, for `memit eval` and `memit run`.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::Value;

use crate::session::{CellError, MimeBundle, Output, Stream};

/// Prints the text form of every output at once. Printed text is never cleared: it may have gone to
/// a file.
#[derive(Default)]
pub(super) struct Console {
    /// Whether standard error ends in a line of progress, which other text must not follow.
    has_progress: AtomicBool,
}

impl Output for Console {
    fn stream(&self, stream: Stream, text: &str) {
        if self.has_progress.load(Relaxed) {
            self.progress(None);
        }
        // A closed pipe is no reason to stop the cell.
        let _ = match stream {
            Stream::Stdout => write_flushed(anstream::stdout().lock(), text),
            Stream::Stderr => write_flushed(anstream::stderr().lock(), text),
        };
    }

    fn display(&self, data: MimeBundle) {
        let text = if let Some(text) = data.get("text/plain").and_then(Value::as_str) {
            text.to_owned()
        } else {
            let types: Vec<_> = data.keys().map(String::as_str).collect();
            format!("<{}>", types.join(", "))
        };
        self.stream(Stream::Stdout, &(text.trim_end().to_owned() + "\n"));
    }

    /// Shows only the first line of a preview.
    fn preview(&self, data: MimeBundle) {
        let text = data.get("text/plain").and_then(Value::as_str);
        self.progress(text.and_then(|text| text.lines().next()));
    }

    fn settle(&self, data: MimeBundle) {
        self.progress(None);
        self.display(data);
    }

    fn progress(&self, text: Option<&str>) {
        let stderr = std::io::stderr();
        if stderr.is_terminal() {
            // Overwrites the previous line, or clears it if there is no text.
            let _ = write_flushed(stderr, &format!("\r\x1b[K{}", text.unwrap_or_default()));
            self.has_progress.store(text.is_some(), Relaxed);
        }
    }
}

/// Prints an error the way a notebook shows it.
pub(super) fn print_error(error: &CellError) {
    let _ = write_flushed(
        anstream::stderr().lock(),
        &(error.traceback.join("\n") + "\n"),
    );
}

fn write_flushed(mut to: impl std::io::Write, text: &str) -> std::io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}
