//! Publishes the outputs of a cell.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use uuid::Uuid;

use crate::jupyter::socket::Iopub;
use crate::jupyter::wire::Header;
use crate::session::{MimeBundle, Output, Stream};

/// Publishes outputs as those of one request. A thread that the cell left running keeps it, so
/// what that thread prints later still appears below its cell.
pub(super) struct CellOutput {
    /// Where to publish.
    pub(super) iopub: Iopub,
    /// The header of the request.
    pub(super) parent: Header,
    /// The number of the cell.
    pub(super) execution_count: u32,
    /// What the notebook shows of it.
    pub(super) shown: Mutex<Shown>,
}

/// What there is below a cell.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Something that stays.
    outputs: bool,
    /// The id of the display of its progress.
    progress: Option<String>,
}

impl CellOutput {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something comes that stays; what was told of the progress goes before it.
    fn make_way(&self) {
        let mut shown = self.shown();
        self.show_progress(&mut shown, None);
        shown.outputs = true;
    }

    fn show_progress(&self, shown: &mut Shown, text: Option<&str>) {
        let new_id = || Uuid::new_v4().to_string();
        let (msg_type, id) = match (shown.progress.take(), text) {
            (None, None) => return,
            (None, Some(_)) => ("display_data", new_id()),
            // A display that is updated to nothing would leave an empty line.
            (Some(_), None) if !shown.outputs => {
                let content = json!({"wait": false});
                return self.iopub.broadcast("clear_output", &self.parent, content);
            }
            (Some(id), _) => ("update_display_data", id),
        };
        let data = json!({"text/plain": text.unwrap_or_default()});
        let content = json!({"data": data, "metadata": {}, "transient": {"display_id": id}});
        self.iopub.broadcast(msg_type, &self.parent, content);
        shown.progress = text.map(|_| id);
    }
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

    fn clear(&self, wait: bool) {
        let mut shown = self.shown();
        *shown = Shown {
            outputs: wait && shown.outputs,
            progress: None,
        };
        let content = json!({"wait": wait});
        self.iopub.broadcast("clear_output", &self.parent, content);
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

/// Publishes nothing: for requests that asked for silence.
pub(super) struct Silence;

impl Output for Silence {
    fn stream(&self, _: Stream, _: &str) {}
    fn display(&self, _: MimeBundle) {}
    fn result(&self, _: MimeBundle) {}
    fn clear(&self, _: bool) {}
    fn progress(&self, _: Option<&str>) {}
}
