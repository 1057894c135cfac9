//! The outputs of a cell in the format of a notebook file.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::notebook::lines;
use crate::session::{CellError, MimeBundle, Output, Stream};

/// Records outputs in nbformat's format, and passes them on to another output.
pub(super) struct NotebookOutput<Shown> {
    shown: Shown,
    execution_count: u64,
    outputs: Mutex<Outputs>,
}

#[derive(Default)]
struct Outputs {
    recorded: Vec<Recorded>,
    /// Whether the next output replaces all earlier ones.
    clear: bool,
}

enum Recorded {
    Stream(Stream, String),
    Other(Value),
}

impl<Shown: Output> NotebookOutput<Shown> {
    pub(super) fn new(shown: Shown, execution_count: u64) -> Self {
        Self {
            shown,
            execution_count,
            outputs: Mutex::default(),
        }
    }

    /// Records the error of the cell.
    pub(super) fn error(&self, error: &CellError) {
        self.push(Recorded::Other(json!({
            "ename": error.ename,
            "evalue": error.evalue,
            "output_type": "error",
            "traceback": error.traceback,
        })));
    }

    /// The recorded outputs. Consecutive text of one stream is one output.
    pub(super) fn outputs(&self) -> Vec<Value> {
        let outputs = self.lock();
        outputs
            .recorded
            .iter()
            .map(|output| match output {
                Recorded::Stream(stream, text) => json!({
                    "name": stream.name(),
                    "output_type": "stream",
                    "text": lines(text),
                }),
                Recorded::Other(output) => output.clone(),
            })
            .collect()
    }

    fn record_display(&self, data: &MimeBundle) {
        self.push(Recorded::Other(json!({
            "data": data_lines(data),
            "metadata": {},
            "output_type": "display_data",
        })));
    }

    fn lock(&self) -> MutexGuard<'_, Outputs> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, output: Recorded) {
        let mut outputs = self.lock();
        if std::mem::take(&mut outputs.clear) {
            outputs.recorded.clear();
        }
        match (outputs.recorded.last_mut(), output) {
            (Some(Recorded::Stream(last, text)), Recorded::Stream(stream, more))
                if *last == stream =>
            {
                text.push_str(&more);
            }
            (_, output) => outputs.recorded.push(output),
        }
    }
}

impl<Shown: Output> Output for NotebookOutput<Shown> {
    fn stream(&self, stream: Stream, text: &str) {
        self.push(Recorded::Stream(stream, text.to_owned()));
        self.shown.stream(stream, text);
    }

    fn display(&self, data: MimeBundle) {
        self.record_display(&data);
        self.shown.display(data);
    }

    fn preview(&self, data: MimeBundle) {
        self.shown.preview(data);
    }

    fn settle(&self, data: MimeBundle) {
        self.record_display(&data);
        self.shown.settle(data);
    }

    fn result(&self, data: MimeBundle) {
        self.push(Recorded::Other(json!({
            "data": data_lines(&data),
            "execution_count": self.execution_count,
            "metadata": {},
            "output_type": "execute_result",
        })));
        self.shown.result(data);
    }

    fn clear(&self, wait: bool) {
        let mut outputs = self.lock();
        outputs.clear = wait;
        if !wait {
            outputs.recorded.clear();
        }
        drop(outputs);
        self.shown.clear(wait);
    }

    fn progress(&self, text: Option<&str>) {
        self.shown.progress(text);
    }
}

/// Splits text into lines; other data stays unchanged.
fn data_lines(data: &MimeBundle) -> MimeBundle {
    let keep = |(mime, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) if mime.starts_with("text/") || mime == "image/svg+xml" => {
                lines(text)
            }
            other => other.clone(),
        };
        (mime.clone(), value)
    };
    data.iter().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nowhere;

    impl Output for Nowhere {}

    #[test]
    fn cleared_outputs_are_not_recorded() {
        let recorder = NotebookOutput::new(Nowhere, 1);
        let texts = || -> Vec<_> {
            let outputs = recorder.outputs();
            outputs
                .iter()
                .map(|output| output["text"][0].clone())
                .collect()
        };
        recorder.stream(Stream::Stdout, "1");
        recorder.clear(true);
        assert_eq!(texts(), ["1"]);
        recorder.stream(Stream::Stdout, "2");
        assert_eq!(texts(), ["2"]);
        recorder.clear(false);
        assert!(texts().is_empty());
    }

    #[test]
    fn text_of_one_stream_is_one_output() {
        let recorder = NotebookOutput::new(Nowhere, 3);
        recorder.stream(Stream::Stdout, "a");
        recorder.stream(Stream::Stdout, "b\nc");
        recorder.stream(Stream::Stderr, "d");
        recorder.result(MimeBundle::from_iter([(
            "text/plain".to_owned(),
            "1".into(),
        )]));
        assert_eq!(
            Value::from(recorder.outputs()),
            json!([
                {"name": "stdout", "output_type": "stream", "text": ["ab\n", "c"]},
                {"name": "stderr", "output_type": "stream", "text": ["d"]},
                {"data": {"text/plain": ["1"]}, "execution_count": 3, "metadata": {},
                 "output_type": "execute_result"},
            ])
        );
    }
}
