//! A socket with requests and replies: the common part of shell and control.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::answer::Answer;
use super::bind::bind;
use super::iopub::{ExecutionState, Iopub};
use super::stop::{StopSignal, Stopper, Woken, stop_pair};
use crate::jupyter::wire::{Codec, Message};

/// A router socket that receives requests and sends replies.
pub(crate) struct RequestSocket {
    name: &'static str,
    socket: zmq::Socket,
    signal: StopSignal,
    codec: Codec,
    iopub: Iopub,
}

impl RequestSocket {
    /// Binds the socket. The stopper makes [`RequestSocket::receive`] return `None`.
    pub(crate) fn bind(
        context: &zmq::Context,
        name: &'static str,
        endpoint: &str,
        codec: Codec,
        iopub: Iopub,
    ) -> anyhow::Result<(Self, Stopper)> {
        let socket = bind(context, zmq::ROUTER, name, endpoint)?;
        let (stopper, signal) = stop_pair(context, name)
            .with_context(|| format!("cannot make the {name} socket stoppable"))?;
        Ok((
            Self {
                name,
                socket,
                signal,
                codec,
                iopub,
            },
            stopper,
        ))
    }

    /// Waits for `time`, and returns whether no message arrived.
    pub(crate) fn is_quiet_for(&self, time: Duration) -> bool {
        let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        matches!(self.socket.poll(zmq::POLLIN, milliseconds), Ok(0))
    }

    /// Waits for the next well-formed request; `None` when the thread should end.
    pub(crate) fn receive(&self) -> Option<Message> {
        loop {
            match self.signal.wait(&self.socket) {
                Ok(Woken::Message) => {}
                Ok(Woken::Stop) => return None,
                Err(error) => {
                    tracing::error!("cannot wait for requests on {}: {error}", self.name);
                    return None;
                }
            }
            if let Some(request) = self.take_frames().and_then(|frames| self.decode(frames)) {
                return Some(request);
            }
        }
    }

    /// The well-formed requests that have already arrived.
    pub(crate) fn drain(&self) -> Vec<Message> {
        std::iter::from_fn(|| self.take_frames())
            .filter_map(|frames| self.decode(frames))
            .collect()
    }

    /// Answers `request`. Clients see, in this order: busy, the messages that `handle` publishes,
    /// the reply, idle.
    pub(crate) fn answer(&self, request: &Message, handle: impl FnOnce() -> Answer) {
        let header = &request.header;
        self.iopub.status(ExecutionState::Busy, Some(header));
        let answer = handle();
        // Clients treat the reply as the end of the request's outputs.
        self.iopub.flush();
        let reply = match answer {
            Answer::Reply(content) => Some((content, json!({}))),
            Answer::ReplyWith(content, metadata) => Some((content, metadata)),
            Answer::None => None,
        };
        if let Some((content, metadata)) = reply {
            let msg_type = reply_type(header.msg_type());
            let reply = Message::reply(request, &msg_type, self.codec.session(), content);
            let reply = Message { metadata, ..reply };
            if let Err(error) = self
                .socket
                .send_multipart(self.codec.encode(reply), zmq::DONTWAIT)
            {
                tracing::warn!("a {msg_type} could not be sent on {}: {error}", self.name);
            }
        }
        self.iopub.status(ExecutionState::Idle, Some(header));
    }

    fn take_frames(&self) -> Option<Vec<Vec<u8>>> {
        match self.socket.recv_multipart(zmq::DONTWAIT) {
            Ok(frames) => Some(frames),
            Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => None,
            Err(error) => {
                tracing::warn!("cannot receive on {}: {error}", self.name);
                None
            }
        }
    }

    fn decode(&self, frames: Vec<Vec<u8>>) -> Option<Message> {
        self.codec
            .decode(frames)
            .inspect_err(|error| tracing::warn!("dropped a message on {}: {error}", self.name))
            .ok()
    }
}

/// Names the reply to a request: `execute_reply` for `execute_request`, and so on.
fn reply_type(request_type: &str) -> String {
    let stem = request_type
        .strip_suffix("_request")
        .unwrap_or(request_type);
    format!("{stem}_reply")
}
