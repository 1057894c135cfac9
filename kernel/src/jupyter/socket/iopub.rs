//! The iopub socket: publishes outputs and the state of the kernel to all clients.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::bind::bind;
use super::wake::{Sleeper, Waker, wake_pair};
use crate::jupyter::wire::{Codec, Header, Message};
use crate::session::Stream;

/// How many messages may wait for the thread. A full queue slows down a cell that prints faster
/// than messages can be signed and sent, instead of filling the memory.
const QUEUE: usize = 1024;

/// Waiting text is joined into messages of about this many bytes.
const JOINED_TEXT: usize = 64 << 10;

/// Publishes messages on iopub. Cheap to clone, usable from any thread. Messages of one thread keep
/// their order.
#[derive(Clone)]
pub(crate) struct Iopub {
    items: SyncSender<Item>,
    waker: Waker,
}

/// The state of the kernel that clients show.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ExecutionState {
    /// The process has just started. Sent once.
    Starting,
    /// A request is being answered.
    Busy,
    /// The request has been answered, and all of its output has been sent.
    Idle,
}

enum Item {
    Broadcast {
        msg_type: &'static str,
        parent: Option<Header>,
        content: Value,
    },
    Text(Chunk),
    Flush(SyncSender<()>),
    Close,
}

struct Chunk {
    stream: Stream,
    parent: Header,
    text: String,
}

impl Iopub {
    /// Binds the socket and starts the thread that owns it. [`Iopub::close`] ends the thread.
    pub(crate) fn start(
        context: &zmq::Context,
        endpoint: &str,
        codec: Codec,
    ) -> anyhow::Result<(Self, JoinHandle<()>)> {
        // XPUB reports subscriptions; without `verbose`, only the first one to each topic.
        let socket = bind(context, zmq::XPUB, "iopub", endpoint)?;
        socket.set_xpub_verbose(true)?;
        let (waker, sleeper) = wake_pair().context("cannot make the iopub thread wakeable")?;
        let (items, queue) = sync_channel(QUEUE);
        let publisher = Publisher {
            socket,
            codec,
            queue,
            sleeper,
        };
        let thread = thread::Builder::new()
            .name("iopub".to_owned())
            .spawn(move || publisher.run())
            .context("cannot start the iopub thread")?;
        Ok((Self { items, waker }, thread))
    }

    /// Publishes the state of the kernel; `parent` is the request that caused it.
    pub(crate) fn status(&self, state: ExecutionState, parent: Option<&Header>) {
        let state = match state {
            ExecutionState::Starting => "starting",
            ExecutionState::Busy => "busy",
            ExecutionState::Idle => "idle",
        };
        self.hand_in(Item::Broadcast {
            msg_type: "status",
            parent: parent.cloned(),
            content: json!({"execution_state": state}),
        });
    }

    /// Publishes a message that belongs to the request with the header `parent`.
    pub(crate) fn broadcast(&self, msg_type: &'static str, parent: &Header, content: Value) {
        self.hand_in(Item::Broadcast {
            msg_type,
            parent: Some(parent.clone()),
            content,
        });
    }

    /// Publishes text that a cell wrote, without delay. Text that waits behind other messages is
    /// joined with its neighbours.
    pub(crate) fn text(&self, stream: Stream, parent: &Header, text: &str) {
        self.hand_in(Item::Text(Chunk {
            stream,
            parent: parent.clone(),
            text: text.to_owned(),
        }));
    }

    /// Waits until zmq has received all earlier messages. A reply on another socket arrives after
    /// the outputs of its cell only if they were flushed first.
    pub(crate) fn flush(&self) {
        let (done, flushed) = sync_channel(1);
        self.hand_in(Item::Flush(done));
        // An error means that the thread has ended.
        let _ = flushed.recv();
    }

    /// Ends the thread after all earlier messages, and closes the socket.
    pub(crate) fn close(&self) {
        self.hand_in(Item::Close);
    }

    fn hand_in(&self, item: Item) {
        // Fails only after `close`.
        let _ = self.items.send(item);
        self.waker.wake();
    }
}

/// The state of the thread, which owns the socket.
struct Publisher {
    socket: zmq::Socket,
    codec: Codec,
    queue: Receiver<Item>,
    sleeper: Sleeper,
}

impl Publisher {
    fn run(self) {
        let mut held = None;
        loop {
            self.welcome_subscribers();
            let item = match held.take().map_or_else(|| self.queue.try_recv(), Ok) {
                Ok(item) => item,
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => match self.sleeper.wait(&self.socket) {
                    Ok(()) => continue,
                    Err(error) => {
                        tracing::error!("cannot wait for messages to publish: {error}");
                        return;
                    }
                },
            };
            match item {
                Item::Broadcast {
                    msg_type,
                    parent,
                    content,
                } => {
                    self.send(msg_type.into(), msg_type, parent, content);
                }
                Item::Text(mut text) => {
                    held = self.join_waiting(&mut text);
                    let name = text.stream.name();
                    let content = json!({"name": name, "text": text.text});
                    self.send(
                        format!("stream.{name}").into_bytes(),
                        "stream",
                        Some(text.parent),
                        content,
                    );
                }
                Item::Flush(done) => {
                    // Fails if the thread that flushes has ended.
                    let _ = done.send(());
                }
                Item::Close => return,
            }
        }
    }

    /// Sends `iopub_welcome` to new subscribers under the topic that they subscribed to; from this
    /// message on, they miss nothing. A subscription arrives as the byte 1 and the topic; the byte
    /// 0 ends a subscription.
    fn welcome_subscribers(&self) {
        while let Ok(event) = self.socket.recv_bytes(zmq::DONTWAIT) {
            let [1, topic @ ..] = event.as_slice() else {
                continue;
            };
            let content = json!({"subscription": String::from_utf8_lossy(topic)});
            self.send(topic.to_vec(), "iopub_welcome", None, content);
        }
    }

    /// Appends waiting text of the same stream to `chunk`, and returns the first item that cannot
    /// be appended.
    fn join_waiting(&self, chunk: &mut Chunk) -> Option<Item> {
        while chunk.text.len() < JOINED_TEXT {
            match self.queue.try_recv().ok()? {
                Item::Text(next) if next.stream == chunk.stream && next.parent == chunk.parent => {
                    chunk.text.push_str(&next.text);
                }
                other => return Some(other),
            }
        }
        None
    }

    fn send(&self, topic: Vec<u8>, msg_type: &str, parent: Option<Header>, content: Value) {
        let session = self.codec.session();
        let message = Message::broadcast(topic, msg_type, session, parent, content);
        let frames = self.codec.encode(message);
        if let Err(error) = self.socket.send_multipart(frames, 0) {
            tracing::warn!("cannot publish a {msg_type} message: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::wire::Signer;

    /// A running iopub with a subscriber that misses nothing.
    struct Listening {
        context: zmq::Context,
        iopub: Iopub,
        thread: JoinHandle<()>,
        subscriber: zmq::Socket,
        codec: Codec,
    }

    impl Listening {
        fn start() -> Self {
            let context = zmq::Context::new();
            let codec = Codec::new(Signer::new("key"));
            let subscriber = context.socket(zmq::SUB).unwrap();
            subscriber.set_subscribe(b"").unwrap();
            subscriber.set_rcvhwm(0).unwrap();
            subscriber.connect("inproc://iopub").unwrap();
            let (iopub, thread) = Iopub::start(&context, "inproc://iopub", codec.clone()).unwrap();
            let listening = Self {
                context,
                iopub,
                thread,
                subscriber,
                codec,
            };
            let welcome = listening.next();
            assert_eq!(welcome.header.msg_type(), "iopub_welcome");
            assert_eq!(welcome.content, json!({"subscription": ""}));
            listening
        }

        fn next(&self) -> Message {
            self.codec
                .decode(self.subscriber.recv_multipart(0).unwrap())
                .unwrap()
        }

        fn stop(self) {
            self.iopub.close();
            self.thread.join().unwrap();
        }
    }

    #[test]
    fn messages_leave_in_the_order_they_were_handed_in() {
        let listening = Listening::start();
        let request = Header::new("execute_request", "client");
        listening.iopub.status(ExecutionState::Busy, Some(&request));
        listening.iopub.text(Stream::Stdout, &request, "out");
        listening.iopub.text(Stream::Stderr, &request, "err");
        listening
            .iopub
            .broadcast("execute_result", &request, json!({"data": {}}));
        listening.iopub.status(ExecutionState::Idle, Some(&request));

        let types = std::array::from_fn::<_, 5, _>(|_| {
            let message = listening.next();
            assert_eq!(message.parent.as_ref(), Some(&request));
            message.header.msg_type().to_owned()
        });
        assert_eq!(
            types,
            ["status", "stream", "stream", "execute_result", "status"]
        );
        listening.stop();
    }

    #[test]
    fn no_character_of_a_flood_of_text_is_lost() {
        let listening = Listening::start();
        let request = Header::new("execute_request", "client");
        let mut written = String::new();
        for line in 0..20_000 {
            let line = format!("{line}\n");
            listening.iopub.text(Stream::Stdout, &request, &line);
            written.push_str(&line);
        }

        let mut read = String::new();
        while read.len() < written.len() {
            read.push_str(listening.next().content["text"].as_str().unwrap());
        }
        assert_eq!(read, written);
        listening.stop();
    }

    #[test]
    fn texts_of_different_cells_are_never_joined() {
        let listening = Listening::start();
        let (first, second) = (Header::new("execute_request", "a"), Header::new("x", "b"));
        for _ in 0..100 {
            listening.iopub.text(Stream::Stdout, &first, "first");
            listening.iopub.text(Stream::Stdout, &second, "second");
            for (text, parent) in [("first", &first), ("second", &second)] {
                let message = listening.next();
                assert_eq!(message.content["text"], text);
                assert_eq!(message.parent.as_ref(), Some(parent));
            }
        }
        listening.stop();
    }

    #[test]
    fn what_was_handed_in_before_the_end_still_leaves() {
        let listening = Listening::start();
        let request = Header::new("shutdown_request", "client");
        listening.iopub.status(ExecutionState::Idle, Some(&request));
        listening.iopub.close();
        assert_eq!(listening.next().content["execution_state"], "idle");
        listening.thread.join().unwrap();
    }

    #[test]
    fn a_flush_after_the_end_does_not_wait() {
        let listening = Listening::start();
        let iopub = listening.iopub.clone();
        listening.stop();
        iopub.flush();
    }

    #[test]
    fn every_subscription_is_welcomed_under_its_topic() {
        let listening = Listening::start();
        let other = listening.context.socket(zmq::SUB).unwrap();
        other.connect("inproc://iopub").unwrap();
        for topic in [&b"status"[..], b"status", b"\xff"] {
            other.set_subscribe(topic).unwrap();
        }
        for topic in [&b"status"[..], b"status", b"\xff"] {
            let frames = other.recv_multipart(0).unwrap();
            assert_eq!(frames[0], topic);
            let welcome = listening.codec.decode(frames).unwrap();
            assert_eq!(welcome.header.msg_type(), "iopub_welcome");
            assert_eq!(
                welcome.content["subscription"],
                String::from_utf8_lossy(topic).as_ref()
            );
            assert_eq!(welcome.parent, None);
        }
        listening.stop();
    }

    #[test]
    fn the_thread_ends_if_no_one_can_publish_any_more() {
        let Listening { iopub, thread, .. } = Listening::start();
        drop(iopub);
        thread.join().unwrap();
    }
}
