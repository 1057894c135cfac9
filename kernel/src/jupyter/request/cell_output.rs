//! Publishes the outputs of a cell.

use serde_json::json;

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
}

impl Output for CellOutput {
    fn stream(&self, stream: Stream, text: &str) {
        if !text.is_empty() {
            self.iopub.text(stream, &self.parent, text);
        }
    }

    fn display(&self, data: MimeBundle) {
        let content = json!({"data": data, "metadata": {}, "transient": {}});
        self.iopub.broadcast("display_data", &self.parent, content);
    }

    fn result(&self, data: MimeBundle) {
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
}
