//! Comms, the channels of widgets and extensions. memit opens none, and knows one target.

use serde_json::{Value, json};

use super::background_session::guarded;
use crate::jupyter::socket::Iopub;
use crate::jupyter::wire::Message;
use crate::session::Session;

/// The target at which editors have a cell checked while it is typed; evcxr's own kernel has it.
const CHECK: &str = "evcxr-cargo-check";

/// The reply to `comm_info_request`: no comm stays open.
pub(crate) fn info_reply() -> Value {
    json!({"status": "ok", "comms": {}})
}

/// Answers a `comm_open` and closes the comm, which for unknown targets is all that the protocol
/// asks for. Without a session nothing can be checked yet.
pub(crate) fn open(comm_open: &Message, session: Option<&mut Session>, iopub: &Iopub) {
    let content = &comm_open.content;
    let publish = |msg_type, data: Value| {
        let content = json!({"comm_id": content["comm_id"], "data": data});
        iopub.broadcast(msg_type, &comm_open.header, content);
    };
    if content["target_name"] == CHECK
        && let Some(code) = content["data"]["code"].as_str()
    {
        publish("comm_msg", check(code, session));
    }
    publish("comm_close", json!({}));
}

fn check(code: &str, session: Option<&mut Session>) -> Value {
    let problems = session.map_or_else(Vec::new, |session| {
        guarded(|| session.check(code)).unwrap_or_else(|panic| {
            tracing::warn!("the checker panicked: {panic}");
            Vec::new()
        })
    });
    json!({"problems": problems})
}
