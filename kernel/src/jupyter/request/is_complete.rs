//! `is_complete_request`: whether code is complete, or the user should type on.

use jupyter_protocol::IsCompleteRequest;
use memit_magics::cell::syntax::Completeness;
use serde_json::{Value, json};

use super::background_session::guarded;
use super::bad_request::{self, BadRequest};
use crate::jupyter::wire::Message;
use crate::session::completeness;

/// One level of indentation, as rustfmt writes it.
const INDENT: &str = "    ";

/// The reply, which needs no session.
pub(crate) fn reply(request: &Message) -> Result<Value, BadRequest> {
    let IsCompleteRequest { code } = bad_request::content(request)?;
    Ok(match guarded(|| completeness(&code)) {
        Ok(Completeness::Complete) => json!({"status": "complete"}),
        Ok(Completeness::Incomplete { depth }) => {
            json!({"status": "incomplete", "indent": INDENT.repeat(depth)})
        }
        Ok(Completeness::Invalid) => json!({"status": "invalid"}),
        Err(panic) => {
            tracing::warn!("the parser panicked: {panic}");
            json!({"status": "unknown"})
        }
    })
}
