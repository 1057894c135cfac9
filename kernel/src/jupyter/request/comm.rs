//! Comms, the channels of widgets and extensions. memit opens none, and answers one target.

use serde_json::{Value, json};

use super::background_session::guarded;
use crate::jupyter::socket::Iopub;
use crate::jupyter::wire::Message;
use crate::session::Session;

/// Editors open a comm to this target to check a cell while it is typed. evcxr's own kernel defined
/// it.
const CHECK: &str = "evcxr-cargo-check";

/// The reply to `comm_info_request`, which lists no comm because none stays open.
pub(crate) fn info_reply() -> Value {
    json!({"status": "ok", "comms": {}})
}

/// Answers a `comm_open` and closes the comm. For unknown targets, the protocol asks for nothing
/// else. Until the session has started, a check finds no problems.
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
