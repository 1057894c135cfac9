//! The answer to a request.

use serde_json::Value;

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// Send a reply with this content.
    Reply(Value),
    /// Send a reply with this content and this metadata.
    ReplyWith(Value, Value),
    /// Send nothing.
    None,
}

impl Answer {
    /// The answer to a message of unknown type. Clients expect no reply to it.
    pub(crate) fn unknown(socket: &str, msg_type: &str) -> Self {
        tracing::warn!("ignored a message of unknown type on {socket}: {msg_type}");
        Self::None
    }
}
