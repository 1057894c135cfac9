//! Converts between frames and messages.

use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::WireError;
use super::header::Header;
use super::message::Message;
use super::signature::Signer;

/// Stands between the routing identities and the signed part of a message.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// Decodes frames, checking their signature, and encodes messages as signed frames.
#[derive(Clone)]
pub struct Codec {
    signer: Signer,
    session: Arc<str>,
}

impl Codec {
    /// Creates a codec that signs with `signer`. All clones share one session ID.
    pub fn new(signer: Signer) -> Self {
        Self {
            signer,
            session: Uuid::new_v4().to_string().into(),
        }
    }

    /// The `session` in the headers of this kernel's messages, which identifies the process.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Reads one message. The signature is checked before anything is parsed.
    pub fn decode(&self, mut frames: Vec<Vec<u8>>) -> Result<Message, WireError> {
        let Some(delimiter) = frames.iter().position(|frame| frame == DELIMITER) else {
            return Err(WireError::NoDelimiter {
                frames: frames.len(),
            });
        };
        let mut identities = frames;
        frames = identities.split_off(delimiter + 1);
        identities.truncate(delimiter);

        let [signature, header, parent, metadata, content, buffers @ ..] = frames.as_slice() else {
            return Err(WireError::TooFewFrames {
                found: frames.len(),
            });
        };
        self.signer
            .verify(signature, [header, parent, metadata, content])?;

        Ok(Message {
            identities,
            header: Header::parse(header).map_err(|source| WireError::BadJson {
                part: "header",
                source,
            })?,
            parent: parse_parent(parent)?,
            metadata: parse_object("metadata", metadata)?,
            content: parse_object("content", content)?,
            buffers: buffers.to_vec(),
        })
    }

    /// The frames of `message`, signed.
    pub fn encode(&self, message: Message) -> Vec<Vec<u8>> {
        let header = message.header.json().as_bytes();
        let parent = message
            .parent
            .as_ref()
            .map_or("{}", Header::json)
            .as_bytes();
        let metadata = message.metadata.to_string().into_bytes();
        let content = message.content.to_string().into_bytes();
        let signature = self.signer.sign([header, parent, &metadata, &content]);

        let mut frames = message.identities;
        frames.extend([
            DELIMITER.to_vec(),
            signature.into_bytes(),
            header.to_vec(),
            parent.to_vec(),
            metadata,
            content,
        ]);
        frames.extend(message.buffers);
        frames
    }
}

/// Reads the parent of a received message. A parent without the usual fields counts as no parent,
/// which is no reason to refuse the message.
fn parse_parent(json: &[u8]) -> Result<Option<Header>, WireError> {
    parse_object("parent_header", json)?;
    Ok(Header::parse(json).ok())
}

fn parse_object(part: &'static str, json: &[u8]) -> Result<Value, WireError> {
    serde_json::from_slice::<Map<String, Value>>(json)
        .map(Value::Object)
        .map_err(|source| WireError::BadJson { part, source })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Where the four signed dictionaries begin in the frames of `message`.
    fn first_dictionary(message: &Message) -> usize {
        message.identities.len() + 2
    }

    fn codec() -> Codec {
        Codec::new(Signer::new("a key"))
    }

    fn request() -> Message {
        Message {
            identities: vec![b"client".to_vec()],
            header: Header::new("execute_request", "a session"),
            parent: None,
            metadata: json!({}),
            content: json!({"code": "1 + 1"}),
            buffers: vec![],
        }
    }

    #[test]
    fn frames_without_a_delimiter_are_refused() {
        let refused = codec().decode(vec![b"garbage".to_vec()]);
        assert!(matches!(refused, Err(WireError::NoDelimiter { frames: 1 })));
        assert!(matches!(
            codec().decode(vec![]),
            Err(WireError::NoDelimiter { frames: 0 })
        ));
    }

    #[test]
    fn a_message_cut_short_is_refused_at_any_length() {
        let frames = codec().encode(request());
        for length in 2..frames.len() {
            let refused = codec().decode(frames[..length].to_vec());
            assert!(
                matches!(refused, Err(WireError::TooFewFrames { .. })),
                "{length} frames"
            );
        }
    }

    #[test]
    fn a_message_signed_with_another_key_is_refused() {
        let frames = Codec::new(Signer::new("another key")).encode(request());
        assert!(matches!(
            codec().decode(frames),
            Err(WireError::BadSignature)
        ));
    }

    #[test]
    fn a_signed_dictionary_that_is_no_object_is_refused() {
        let header = Header::new("execute_request", "a session");
        let parts: [&[u8]; 4] = [header.json().as_bytes(), b"{}", b"{}", b"[1]"];
        let signature = Signer::new("a key").sign(parts).into_bytes();
        let mut frames = vec![DELIMITER.to_vec(), signature];
        frames.extend(parts.map(<[u8]>::to_vec));
        let refused = codec().decode(frames);
        assert!(matches!(
            refused,
            Err(WireError::BadJson {
                part: "content",
                ..
            })
        ));
    }

    #[test]
    fn a_reply_carries_the_request_header_byte_for_byte() {
        let request = request();
        let reply = Message::reply(&request, "execute_reply", "kernel", json!({}));
        let frames = codec().encode(reply);
        assert_eq!(frames[0], b"client");
        assert_eq!(frames[4], request.header.json().as_bytes());
    }

    #[test]
    fn an_odd_parent_does_not_spoil_a_request() {
        let codec = Codec::new(Signer::new(""));
        let mut frames = codec.encode(request());
        frames[4] = br#"{"odd":true}"#.to_vec();
        assert_eq!(codec.decode(frames).unwrap().parent, None);
    }

    prop_compose! {
        fn any_message()(
            // An identity that equals the delimiter cannot be distinguished from it.
            identities in vec(vec(any::<u8>(), 0..8), 0..3),
            has_parent in any::<bool>(),
            content in vec((".{0,8}", ".{0,20}"), 0..4),
            metadata in vec((".{0,8}", any::<i64>()), 0..4),
            buffers in vec(vec(any::<u8>(), 0..20), 0..3),
        ) -> Message {
            Message {
                identities,
                header: Header::new("execute_request", "a session"),
                parent: has_parent.then(|| Header::new("parent", "a session")),
                metadata: metadata.into_iter().map(|(key, value)| (key, Value::from(value))).collect(),
                content: content.into_iter().map(|(key, value)| (key, Value::from(value))).collect(),
                buffers,
            }
        }
    }

    proptest! {
        #[test]
        fn random_frames_never_panic(frames in vec(vec(any::<u8>(), 0..40), 0..10)) {
            prop_assert!(codec().decode(frames).is_err());
        }

        #[test]
        fn random_frames_behind_a_delimiter_never_panic(
            frames in vec(vec(any::<u8>(), 0..40), 0..10),
            key in "[ab]?",
        ) {
            let mut message = vec![DELIMITER.to_vec()];
            message.extend(frames);
            prop_assert!(Codec::new(Signer::new(&key)).decode(message).is_err());
        }

        #[test]
        fn a_message_survives_the_wire(message in any_message()) {
            let received = codec().decode(codec().encode(message.clone())).unwrap();
            prop_assert_eq!(received, message);
        }

        #[test]
        fn a_flipped_bit_in_a_dictionary_is_noticed(
            message in any_message(),
            dictionary in 0..4_usize,
            place in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let first = first_dictionary(&message);
            let mut frames = codec().encode(message);
            let frame = &mut frames[first + dictionary];
            let place = place.index(frame.len());
            frame[place] ^= 1 << bit;
            let refused = codec().decode(frames);
            prop_assert!(matches!(refused, Err(WireError::BadSignature)));
        }

        #[test]
        fn a_changed_buffer_is_not_the_signatures_business(
            mut message in any_message(),
            buffer in vec(any::<u8>(), 1..20),
        ) {
            message.buffers = vec![buffer];
            let mut frames = codec().encode(message.clone());
            let last = frames.last_mut().unwrap();
            last[0] ^= 1;
            message.buffers[0][0] ^= 1;
            prop_assert_eq!(codec().decode(frames).unwrap(), message);
        }
    }
}
