//! `complete_request`: completes the code at the cursor.

use std::task::Poll;
use std::time::Duration;

use jupyter_protocol::CompleteRequest;
use serde_json::{Value, json};

use super::background_session::guarded;
use super::bad_request::{self, BadRequest};
use crate::jupyter::wire::Message;
use crate::session::{Completions, Match, Session, complete_magic};

/// The reply if the request is about a magic, which needs no session.
pub(crate) fn magic_reply(request: &Message) -> Option<Value> {
    let CompleteRequest { code, cursor_pos } = bad_request::content(request).ok()?;
    Some(content(&complete_magic(&code, cursor_pos)?))
}

/// The reply, which has no matches if there is no session; `Pending` if the analyser has not found the
/// matches after `patience`.
pub(crate) fn reply(
    request: &Message,
    session: Option<&mut Session>,
    patience: Duration,
) -> Poll<Result<Value, BadRequest>> {
    let CompleteRequest { code, cursor_pos } = match bad_request::content(request) {
        Ok(content) => content,
        Err(error) => return Poll::Ready(Err(error)),
    };
    let none = || {
        Poll::Ready(Completions {
            matches: Vec::new(),
            start: cursor_pos,
            end: cursor_pos,
        })
    };
    let completions = session.map_or_else(none, |session| {
        let found = guarded(|| session.complete(&code, cursor_pos, patience));
        found.unwrap_or_else(|panic| {
            tracing::warn!("the completer panicked: {panic}");
            none()
        })
    });
    completions.map(|completions| Ok(content(&completions)))
}

fn content(completions: &Completions) -> Value {
    let Completions {
        matches,
        start,
        end,
    } = completions;
    let texts: Vec<&str> = matches.iter().map(|each| each.text.as_str()).collect();
    // JupyterLab shows the kind of each match.
    let kinds: Vec<Value> = matches
        .iter()
        .map(|Match { text, kind }| json!({"start": start, "end": end, "text": text, "type": kind}))
        .collect();
    json!({
        "status": "ok",
        "matches": texts,
        "cursor_start": start,
        "cursor_end": end,
        "metadata": {"_jupyter_types_experimental": kinds},
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::wire::Header;

    fn reply(request: &Message) -> Result<Value, BadRequest> {
        match super::reply(request, None, Duration::ZERO) {
            Poll::Ready(reply) => reply,
            Poll::Pending => panic!("nobody is asked"),
        }
    }

    fn request(content: Value) -> Message {
        Message {
            identities: vec![],
            header: Header::new("complete_request", "client"),
            parent: None,
            metadata: json!({}),
            content,
            buffers: vec![],
        }
    }

    #[test]
    fn matches_are_given_with_their_kinds() {
        let completions = Completions {
            matches: vec![Match {
                text: "push".to_owned(),
                kind: "function".to_owned(),
            }],
            start: 2,
            end: 4,
        };
        let content = content(&completions);
        assert_eq!(content["matches"], json!(["push"]));
        assert_eq!(
            content["metadata"]["_jupyter_types_experimental"],
            json!([{"start": 2, "end": 4, "text": "push", "type": "function"}])
        );
    }

    #[test]
    fn magics_are_completed_without_a_session() {
        let magic = magic_reply(&request(json!({"code": "%mem", "cursor_pos": 4}))).unwrap();
        assert_eq!(magic["matches"], json!(["%memit"]));
        let rust = magic_reply(&request(json!({"code": "v.pu", "cursor_pos": 4})));
        assert_eq!(rust, None);
    }

    #[test]
    fn nothing_is_completed_without_a_session() {
        let reply = reply(&request(json!({"code": "v.pu", "cursor_pos": 4}))).unwrap();
        assert_eq!(reply["status"], "ok");
        assert_eq!(reply["matches"], json!([]));
        assert_eq!(
            (&reply["cursor_start"], &reply["cursor_end"]),
            (&json!(4), &json!(4))
        );
    }

    #[test]
    fn a_request_without_a_cursor_is_refused_with_a_reason() {
        let error = reply(&request(json!({"code": "v.pu"}))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "complete_request: missing field `cursor_pos`"
        );
        let reply = error.reply();
        assert_eq!(
            (&reply["status"], &reply["ename"]),
            (&json!("error"), &json!("BadRequest"))
        );
    }
}
