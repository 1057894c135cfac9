//! The header of a message: its sender, date and type.

use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde::de::Error as _;
use uuid::Uuid;

/// The version of Jupyter's messaging protocol that the kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.4";

/// A header and the JSON that it was read from. Cheap to clone.
///
/// A reply carries the header of its request as `parent_header`, and front-ends match the two. The
/// kernel therefore returns the bytes that it received: no field is lost or rewritten, whatever a
/// client or a later version of the protocol adds.
#[derive(Debug, Clone)]
pub struct Header(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    json: String,
    msg_type: String,
    msg_id: Option<String>,
}

impl Header {
    /// Creates the header of a new message, dated now.
    pub fn new(msg_type: &str, session: &str) -> Self {
        let date = DateTime::<Utc>::from(SystemTime::now());
        let msg_id = Uuid::new_v4().to_string();
        let json = serde_json::json!({
            "msg_id": msg_id,
            "msg_type": msg_type,
            "session": session,
            "username": "memit",
            "date": date.to_rfc3339_opts(SecondsFormat::Micros, true),
            "version": PROTOCOL_VERSION,
        })
        .to_string();
        Self(Arc::new(Parts {
            json,
            msg_type: msg_type.to_owned(),
            msg_id: Some(msg_id),
        }))
    }

    /// Reads a header from the wire.
    pub fn parse(json: &[u8]) -> serde_json::Result<Self> {
        /// The fields that the kernel uses.
        #[derive(Deserialize)]
        struct Fields {
            msg_type: String,
            msg_id: Option<String>,
        }
        let json = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
        let Fields { msg_type, msg_id } = serde_json::from_str(json)?;
        Ok(Self(Arc::new(Parts {
            json: json.to_owned(),
            msg_type,
            msg_id,
        })))
    }

    /// The type of the message: `execute_request`, `status`, …
    pub fn msg_type(&self) -> &str {
        &self.0.msg_type
    }

    /// The ID by which replies refer to the message. The kernel's own messages always have one.
    pub fn msg_id(&self) -> Option<&str> {
        self.0.msg_id.as_deref()
    }

    /// The header as JSON, byte for byte as it was received.
    pub fn json(&self) -> &str {
        &self.0.json
    }
}

impl PartialEq for Header {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_new_header_has_every_field_of_the_protocol() {
        let header = Header::new("status", "a-session");
        let fields: Value = serde_json::from_str(header.json()).unwrap();
        for field in [
            "msg_id", "msg_type", "session", "username", "date", "version",
        ] {
            assert!(fields[field].is_string(), "{field} in {fields}");
        }
        assert_eq!(fields["version"], "5.4");
        assert!(DateTime::parse_from_rfc3339(fields["date"].as_str().unwrap()).is_ok());
    }

    #[test]
    fn a_received_header_keeps_its_bytes() {
        let json =
            r#"{ "msg_id":"1", "msg_type":"x", "date":"2020-02-30T1:2:3", "subshell_id":null }"#;
        let header = Header::parse(json.as_bytes()).unwrap();
        assert_eq!(header.json(), json);
        assert_eq!(header.msg_type(), "x");
    }

    #[test]
    fn a_header_without_a_type_is_refused() {
        assert!(Header::parse(br#"{"msg_id":"1"}"#).is_err());
        assert!(Header::parse(b"[]").is_err());
        assert!(Header::parse(b"\xff").is_err());
    }
}
