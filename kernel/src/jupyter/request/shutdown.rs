//! `shutdown_request`: ends the kernel.

use serde_json::{Value, json};

use crate::jupyter::wire::Message;

/// The reply, which repeats `restart`. The kernel ends in either case; a client that wants a
/// restart starts a new one.
pub(crate) fn reply(request: &Message) -> Value {
    let restart = request.content["restart"].as_bool().unwrap_or(false);
    json!({"status": "ok", "restart": restart})
}
