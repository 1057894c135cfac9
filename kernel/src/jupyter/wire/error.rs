//! Why frames are not a message.

/// What is wrong with the frames that a socket received.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not a Jupyter message at all.
    #[error("{frames} frames without the delimiter <IDS|MSG>")]
    NoDelimiter {
        /// How many frames there were.
        frames: usize,
    },
    /// The message ends before its content.
    #[error(
        "{found} frames after <IDS|MSG>; a message has at least 5: signature, header, parent \
         header, metadata, content"
    )]
    TooFewFrames {
        /// How many frames followed the delimiter.
        found: usize,
    },
    /// Sent by someone who does not know the key of the connection file.
    #[error("the signature does not match the message")]
    BadSignature,
    /// One of the four dictionaries is not a JSON object of the right shape.
    #[error("{part} is not valid: {source}")]
    BadJson {
        /// Which of the four.
        part: &'static str,
        /// What the JSON parser says.
        source: serde_json::Error,
    },
}
