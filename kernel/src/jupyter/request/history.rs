//! `history_request`: what was run before.

use serde_json::{Value, json};

/// The reply: memit keeps no history of its own; notebooks and consoles keep theirs.
pub(crate) fn reply() -> Value {
    json!({"status": "ok", "history": []})
}
