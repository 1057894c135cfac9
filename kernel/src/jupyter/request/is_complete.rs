//! `is_complete_request`: whether the code can be run as it stands.

use jupyter_protocol::IsCompleteRequest;
use serde_json::{Value, json};

use super::answer::{self, BadRequest};
use super::background_session::guarded;
use crate::jupyter::wire::Message;
use crate::session::{Completeness, completeness};

/// The reply. It needs no session.
pub(crate) fn reply(request: &Message) -> Result<Value, BadRequest> {
    let IsCompleteRequest { code } = answer::content(request)?;
    Ok(match guarded(|| completeness(&code)) {
        Ok(Completeness::Complete) => json!({"status": "complete"}),
        Ok(Completeness::Incomplete { indent }) => {
            json!({"status": "incomplete", "indent": indent})
        }
        Ok(Completeness::Invalid) => json!({"status": "invalid"}),
        Err(panic) => {
            tracing::warn!("the parser panicked: {panic}");
            json!({"status": "unknown"})
        }
    })
}
