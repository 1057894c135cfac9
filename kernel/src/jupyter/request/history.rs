//! `history_request`: looks up cells that were run before.

use serde::Deserialize;
use serde_json::{Value, json};

use super::bad_request::{self, BadRequest};
use crate::jupyter::history::{Access, History, HistoryEntry};
use crate::jupyter::wire::Message;

/// The content of a request. The field `raw` is ignored, because cells are kept only as they were
/// typed.
#[derive(Deserialize)]
struct HistoryRequest {
    #[serde(default)]
    output: bool,
    #[serde(flatten)]
    access: Access,
}

/// The reply.
pub(crate) fn reply(request: &Message, history: &History) -> Result<Value, BadRequest> {
    let HistoryRequest { output, access } = bad_request::content(request)?;
    let entries = history.look_up(access);
    let items: Vec<Value> = entries.iter().map(|entry| item(entry, output)).collect();
    Ok(json!({"status": "ok", "history": items}))
}

/// Outputs are not kept, so they are `null`, as IPython has it for a missing output.
fn item(entry: &HistoryEntry, output: bool) -> Value {
    let HistoryEntry {
        session,
        line,
        source,
    } = entry;
    if output {
        json!([session, line, [source, null]])
    } else {
        json!([session, line, source])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::history::DatabasePlace;
    use crate::jupyter::lifecycle::alive;
    use crate::jupyter::wire::Header;

    fn reply_to(content: Value) -> Result<Value, String> {
        let history = History::open(DatabasePlace::Memory, alive().0).unwrap();
        history.store(1, "1 + 1");
        let request = Message {
            identities: vec![],
            header: Header::new("history_request", "client"),
            parent: None,
            metadata: json!({}),
            content,
            buffers: vec![],
        };
        reply(&request, &history).map_err(|error| error.to_string())
    }

    #[test]
    fn outputs_are_null_if_they_are_asked_for() {
        let tail = json!({"hist_access_type": "tail", "n": 1, "raw": true, "output": false});
        assert_eq!(reply_to(tail).unwrap()["history"], json!([[1, 1, "1 + 1"]]));
        let tail = json!({"hist_access_type": "tail", "n": 1, "raw": true, "output": true});
        assert_eq!(
            reply_to(tail).unwrap()["history"],
            json!([[1, 1, ["1 + 1", null]]])
        );
    }

    #[test]
    fn an_access_type_that_does_not_exist_is_refused_by_name() {
        let error = reply_to(json!({"hist_access_type": "head"})).unwrap_err();
        assert!(error.contains("unknown variant `head`"), "{error}");
        assert!(error.contains("`tail`, `range`, `search`"), "{error}");
    }
}
