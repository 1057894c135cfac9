//! A Jupyter message.

use serde_json::{Value, json};

use super::header::Header;

/// A message, received or to be sent.
///
/// The content stays JSON here: its fields depend on the type of the message, and the handler of
/// that type checks them.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The route to the client on a router socket; the topic on iopub.
    pub identities: Vec<Vec<u8>>,
    /// The type and the sender of the message.
    pub header: Header,
    /// The header of the message that caused this one.
    pub parent: Option<Header>,
    /// Data about the message; a JSON object.
    pub metadata: Value,
    /// The fields that belong to the type of the message; a JSON object.
    pub content: Value,
    /// Binary data, not signed.
    pub buffers: Vec<Vec<u8>>,
}

impl Message {
    /// Creates a message that answers `request` on the same socket.
    pub fn reply(request: &Self, msg_type: &str, session: &str, content: Value) -> Self {
        Self {
            identities: request.identities.clone(),
            header: Header::new(msg_type, session),
            parent: Some(request.header.clone()),
            metadata: json!({}),
            content,
            buffers: Vec::new(),
        }
    }

    /// Creates a message for all subscribers of iopub.
    pub fn broadcast(
        topic: Vec<u8>,
        msg_type: &str,
        session: &str,
        parent: Option<Header>,
        content: Value,
    ) -> Self {
        Self {
            identities: vec![topic],
            header: Header::new(msg_type, session),
            parent,
            metadata: json!({}),
            content,
            buffers: Vec::new(),
        }
    }
}
