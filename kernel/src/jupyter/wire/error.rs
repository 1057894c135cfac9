//! Errors of the decoder.

/// Why received frames are not a message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The frames are not a Jupyter message.
    #[error("{frames} frames without the delimiter <IDS|MSG>")]
    NoDelimiter {
        /// The number of frames.
        frames: usize,
    },
    /// The message ends before its content.
    #[error(
        "{found} frames after <IDS|MSG>; a message has at least 5: signature, header, parent \
         header, metadata, content"
    )]
    TooFewFrames {
        /// The number of frames behind the delimiter.
        found: usize,
    },
    /// The sender does not know the key of the connection file.
    #[error("the signature does not match the message")]
    BadSignature,
    /// One of the four dictionaries is not a JSON object of the right shape.
    #[error("{part} is not valid: {source}")]
    BadJson {
        /// The name of the dictionary.
        part: &'static str,
        /// The error of the JSON parser.
        source: serde_json::Error,
    },
}
