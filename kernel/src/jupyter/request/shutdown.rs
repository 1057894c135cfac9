//! `shutdown_request`: the end.

use serde_json::{Value, json};

use crate::jupyter::wire::Message;

/// The reply, which says `restart` again. The kernel ends either way; starting it anew is the
/// client's business.
pub(crate) fn reply(request: &Message) -> Value {
    let restart = request.content["restart"].as_bool().unwrap_or(false);
    json!({"status": "ok", "restart": restart})
}
