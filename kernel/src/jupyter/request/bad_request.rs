//! Requests whose content is malformed.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::jupyter::socket::Answer;
use crate::jupyter::wire::Message;

/// A request whose content lacks a field, or has a field of the wrong type.
#[derive(Debug, thiserror::Error)]
#[error("{msg_type}: {source}")]
pub(crate) struct BadRequest {
    msg_type: String,
    source: serde_json::Error,
}

/// Reads the content of `request`.
pub(super) fn content<T: DeserializeOwned>(request: &Message) -> Result<T, BadRequest> {
    T::deserialize(&request.content).map_err(|source| BadRequest {
        msg_type: request.header.msg_type().to_owned(),
        source,
    })
}

impl From<Result<Value, BadRequest>> for Answer {
    fn from(reply: Result<Value, BadRequest>) -> Self {
        Self::Reply(reply.unwrap_or_else(|bad| bad.reply()))
    }
}

impl BadRequest {
    /// The error reply, without which the client would wait for ever.
    pub(super) fn reply(&self) -> Value {
        tracing::warn!("refused a request: {self}");
        json!({
            "status": "error",
            "ename": "BadRequest",
            "evalue": self.to_string(),
            "traceback": [self.to_string()],
        })
    }
}
