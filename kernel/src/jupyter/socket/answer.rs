//! What is sent back to a request.

use serde_json::Value;

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// Send a reply with this content.
    Reply(Value),
    /// There is nothing to send.
    None,
}

impl Answer {
    /// The answer to a type that the kernel does not know. Clients expect no reply to it.
    pub(crate) fn unknown(socket: &str, msg_type: &str) -> Self {
        tracing::warn!("ignored a message of unknown type on {socket}: {msg_type}");
        Self::None
    }
}
