//! Publishes the outputs of a cell.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::jupyter::socket::Iopub;
use crate::jupyter::wire::Header;
use crate::session::{MimeBundle, Output, Stream};

/// Publishes outputs for one request. Text that a thread prints after its cell has ended still
/// appears below that cell.
pub(super) struct CellOutput {
    /// The socket to publish on.
    pub(super) iopub: Iopub,
    /// The header of the request.
    pub(super) parent: Header,
    /// The number of the cell.
    pub(super) execution_count: u32,
    /// What the notebook shows below the cell.
    pub(super) shown: Mutex<Shown>,
    /// The payload of the reply.
    pub(super) payload: Mutex<Vec<Value>>,
}

/// The outputs below a cell, as far as later outputs depend on them.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Whether there is an output that stays.
    outputs: bool,
    /// The ID of the display with the progress.
    progress: Option<String>,
    /// The ID of the display with a preview.
    preview: Option<String>,
}

impl CellOutput {
    /// Takes the payload of the reply.
    pub(super) fn take_payload(&self) -> Vec<Value> {
        let mut payload = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut payload)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called before an output that stays: removes the progress.
    fn make_way(&self) {
        let mut shown = self.shown();
        self.show_progress(&mut shown, None);
        shown.outputs = true;
    }

    fn show_progress(&self, shown: &mut Shown, text: Option<&str>) {
        let (msg_type, id) = match (shown.progress.take(), text) {
            (None, None) => return,
            (None, Some(_)) => ("display_data", new_id()),
            // Updating the display to an empty text would leave an empty line.
            (Some(_), None) if !shown.outputs => {
                let content = json!({"wait": false});
                return self.iopub.broadcast("clear_output", &self.parent, content);
            }
            (Some(id), _) => ("update_display_data", id),
        };
        let plain = text.unwrap_or_default().into();
        let data = MimeBundle::from_iter([("text/plain".to_owned(), plain)]);
        self.show_as(msg_type, &id, &data);
        shown.progress = text.map(|_| id);
    }

    /// Shows or updates a display that has an ID.
    fn show_as(&self, msg_type: &'static str, id: &str, data: &MimeBundle) {
        let content = json!({"data": data, "metadata": {}, "transient": {"display_id": id}});
        self.iopub.broadcast(msg_type, &self.parent, content);
    }
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

impl Output for CellOutput {
    fn stream(&self, stream: Stream, text: &str) {
        if !text.is_empty() {
            self.make_way();
            self.iopub.text(stream, &self.parent, text);
        }
    }

    fn display(&self, data: MimeBundle) {
        self.make_way();
        let content = json!({"data": data, "metadata": {}, "transient": {}});
        self.iopub.broadcast("display_data", &self.parent, content);
    }

    fn preview(&self, data: MimeBundle) {
        self.make_way();
        let mut shown = self.shown();
        let (msg_type, id) = match shown.preview.take() {
            Some(id) => ("update_display_data", id),
            None => ("display_data", new_id()),
        };
        self.show_as(msg_type, &id, &data);
        shown.preview = Some(id);
    }

    fn settle(&self, data: MimeBundle) {
        let preview = self.shown().preview.take();
        match preview {
            Some(id) => self.show_as("update_display_data", &id, &data),
            None => self.display(data),
        }
    }

    fn clear(&self, wait: bool) {
        let mut shown = self.shown();
        *shown = Shown {
            outputs: wait && shown.outputs,
            progress: None,
            // A later preview needs a new display.
            preview: None,
        };
        let content = json!({"wait": wait});
        self.iopub.broadcast("clear_output", &self.parent, content);
    }

    fn next_input(&self, text: &str) {
        let payload = json!({"source": "set_next_input", "text": text, "replace": true});
        let mut payloads = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        payloads.push(payload);
    }

    fn progress(&self, text: Option<&str>) {
        self.show_progress(&mut self.shown(), text);
    }

    fn result(&self, data: MimeBundle) {
        self.make_way();
        let count = self.execution_count;
        let content = json!({"execution_count": count, "data": data, "metadata": {}});
        self.iopub
            .broadcast("execute_result", &self.parent, content);
    }
}

/// Publishes nothing: for requests that ask for silence.
pub(super) struct Silence;

impl Output for Silence {}
