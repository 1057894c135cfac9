//! Comms, the channels of widgets. memit opens none and knows no target.

use serde_json::{Value, json};

use crate::jupyter::wire::Message;

/// The reply to `comm_info_request`: no comm is open.
pub(crate) fn info_reply() -> Value {
    json!({"status": "ok", "comms": {}})
}

/// The `comm_close` that answers any `comm_open`, as the protocol asks for unknown targets.
pub(crate) fn refusal(comm_open: &Message) -> Value {
    json!({"comm_id": comm_open.content["comm_id"], "data": {}})
}
