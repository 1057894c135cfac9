//! The iopub socket, on which the kernel tells every client what it does and what cells print.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::bind::bind;
use super::wake::{Sleeper, Waker, wake_pair};
use crate::jupyter::wire::{Codec, Header, Message};
use crate::session::Stream;

/// How many messages may wait for the thread. A cell that prints faster than they can be signed
/// and sent is slowed down instead of filling the memory.
const QUEUE: usize = 1024;

/// Text that waits is joined up to about this many bytes into one message.
const JOINED_TEXT: usize = 64 << 10;

/// Where messages for iopub are handed in: cheap to clone, usable from any thread. What one
/// thread hands in leaves in that order.
#[derive(Clone)]
pub(crate) struct Iopub {
    items: SyncSender<Item>,
    waker: Waker,
}

/// What a kernel says it is doing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ExecutionState {
    /// The process has just begun. Sent once.
    Starting,
    /// A request is being answered.
    Busy,
    /// The request has been answered, and all its output is out.
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
    /// Binds the socket and starts the thread that owns it; the thread ends on [`Iopub::close`].
    pub(crate) fn start(
        context: &zmq::Context,
        endpoint: &str,
        codec: Codec,
    ) -> anyhow::Result<(Self, JoinHandle<()>)> {
        // Tells of subscriptions; without `verbose` only of the first to each topic.
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

    /// Says what the kernel is doing, and for which request.
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

    /// Publishes any message that belongs to the request with the header `parent`.
    pub(crate) fn broadcast(&self, msg_type: &'static str, parent: &Header, content: Value) {
        self.hand_in(Item::Broadcast {
            msg_type,
            parent: Some(parent.clone()),
            content,
        });
    }

    /// Publishes text that a cell wrote. It leaves at once; only text that has to wait for other
    /// messages is joined with its neighbours.
    pub(crate) fn text(&self, stream: Stream, parent: &Header, text: &str) {
        self.hand_in(Item::Text(Chunk {
            stream,
            parent: parent.clone(),
            text: text.to_owned(),
        }));
    }

    /// Returns when all that was handed in before has been given to zmq. A reply on another
    /// socket follows the outputs of its cell only if they were flushed first.
    pub(crate) fn flush(&self) {
        let (done, flushed) = sync_channel(1);
        self.hand_in(Item::Flush(done));
        // An error means that the thread has ended, and then there is nothing to wait for.
        let _ = flushed.recv();
    }

    /// Ends the thread after all that was handed in before, and closes the socket.
    pub(crate) fn close(&self) {
        self.hand_in(Item::Close);
    }

    fn hand_in(&self, item: Item) {
        // It fails only after `close`, when no one is left to be told.
        let _ = self.items.send(item);
        self.waker.wake();
    }
}

/// The thread's side: owns the socket.
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
                    // Whoever flushes may have gone; that is his affair.
                    let _ = done.send(());
                }
                Item::Close => return,
            }
        }
    }

    /// Sends the message by which a subscriber knows that from here on it misses nothing, under
    /// the topic that it has subscribed to. What a subscriber sends is one byte, 1 or 0 for a
    /// subscription or the end of one, and the topic.
    fn welcome_subscribers(&self) {
        while let Ok(event) = self.socket.recv_bytes(zmq::DONTWAIT) {
            let [1, topic @ ..] = event.as_slice() else {
                continue;
            };
            let content = json!({"subscription": String::from_utf8_lossy(topic)});
            self.send(topic.to_vec(), "iopub_welcome", None, content);
        }
    }

    /// Appends the text that already waits behind `chunk` on the same stream, and returns the
    /// first item that cannot be appended.
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
            tracing::warn!("a {msg_type} message could not be published: {error}");
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
