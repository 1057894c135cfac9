//! `inspect_request`: shows the documentation of the name at the cursor.

use std::task::Poll;
use std::time::Duration;

use jupyter_protocol::InspectRequest;
use serde_json::{Value, json};

use super::background_session::guarded;
use super::bad_request::{self, BadRequest};
use crate::jupyter::wire::Message;
use crate::session::{MimeBundle, Session, inspect_magic};

/// The reply if the request is about a magic, which needs no session.
pub(crate) fn magic_reply(request: &Message) -> Option<Value> {
    let InspectRequest {
        code, cursor_pos, ..
    } = bad_request::content(request).ok()?;
    Some(content(Some(inspect_magic(&code, cursor_pos)?)))
}

/// The reply, which finds nothing if there is no session; `Pending` if the analyser has not found the
/// documentation after `patience`.
pub(crate) fn reply(
    request: &Message,
    session: Option<&mut Session>,
    patience: Duration,
) -> Poll<Result<Value, BadRequest>> {
    let InspectRequest {
        code, cursor_pos, ..
    } = match bad_request::content(request) {
        Ok(content) => content,
        Err(error) => return Poll::Ready(Err(error)),
    };
    let found = session.map_or(Poll::Ready(None), |session| {
        let found = guarded(|| session.inspect(&code, cursor_pos, patience));
        found.unwrap_or_else(|panic| {
            tracing::warn!("the inspector panicked: {panic}");
            Poll::Ready(None)
        })
    });
    found.map(|found| Ok(content(found)))
}

fn content(found: Option<MimeBundle>) -> Value {
    json!({
        "status": "ok",
        "found": found.is_some(),
        "data": found.unwrap_or_default(),
        "metadata": {},
    })
}
