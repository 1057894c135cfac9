//! The stdin socket: asks the user for input.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bind::bind;
use crate::jupyter::wire::{Codec, Header, Message};
use crate::session::{NoAnswer, Question};

/// How often a wait for the user checks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// How long a client may take to connect its stdin socket. Clients connect all sockets together,
/// but zmq promises no order among them.
const CONNECT: Duration = Duration::from_secs(2);

/// The bound socket. A question locks it until the answer arrives.
pub(crate) struct Stdin {
    socket: Mutex<zmq::Socket>,
    codec: Codec,
}

impl Stdin {
    /// Binds the socket.
    pub(crate) fn bind(
        context: &zmq::Context,
        endpoint: &str,
        codec: Codec,
    ) -> anyhow::Result<Self> {
        let socket = bind(context, zmq::ROUTER, "stdin", endpoint)?;
        // By default zmq drops a question to a client that is not connected.
        socket.set_router_mandatory(true)?;
        Ok(Self {
            socket: Mutex::new(socket),
            codec,
        })
    }

    /// Asks the client that sent `request`, and waits until it answers or `given_up` returns true.
    pub(crate) fn ask(
        &self,
        request: &Message,
        question: &Question,
        given_up: &dyn Fn() -> bool,
    ) -> Result<String, NoAnswer> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let content = json!({"prompt": question.prompt, "password": question.password});
        let asked = Message::reply(request, "input_request", self.codec.session(), content);
        let header = asked.header.clone();
        // Messages that have already arrived answer earlier questions.
        while receive(&socket)?.is_some() {}
        send(&socket, &self.codec.encode(asked), given_up)?;
        loop {
            if given_up() {
                return Err(NoAnswer::GivenUp);
            }
            let Some(frames) = wait(&socket)? else {
                continue;
            };
            match self.codec.decode(frames) {
                Ok(reply) if answers(&reply, request, &header) => return answer_in(&reply),
                Ok(other) => {
                    let msg_type = other.header.msg_type();
                    tracing::warn!("ignored a {msg_type} on stdin that answers no question");
                }
                Err(error) => tracing::warn!("dropped a message on stdin: {error}"),
            }
        }
    }
}

/// Sends a question, and retries for [`CONNECT`] while the client is not connected.
fn send(
    socket: &zmq::Socket,
    frames: &[Vec<u8>],
    given_up: &dyn Fn() -> bool,
) -> Result<(), NoAnswer> {
    let started = Instant::now();
    loop {
        match socket.send_multipart(frames, zmq::DONTWAIT) {
            Ok(()) => return Ok(()),
            Err(zmq::Error::EHOSTUNREACH) if given_up() => return Err(NoAnswer::GivenUp),
            Err(zmq::Error::EHOSTUNREACH) if started.elapsed() < CONNECT => thread::sleep(LOOK),
            Err(zmq::Error::EHOSTUNREACH) => {
                let why = "the front-end that runs it is not connected to the stdin socket";
                return Err(NoAnswer::Impossible(why.to_owned()));
            }
            Err(error) => return Err(broken(error)),
        }
    }
}

/// Waits for a message, for at most [`LOOK`].
fn wait(socket: &zmq::Socket) -> Result<Option<Vec<Vec<u8>>>, NoAnswer> {
    let look = i64::try_from(LOOK.as_millis()).expect("it is short");
    match socket.poll(zmq::POLLIN, look) {
        // Signals interrupt a poll; another thread handles them.
        Ok(0) | Err(zmq::Error::EINTR) => Ok(None),
        Ok(_) => receive(socket),
        Err(error) => Err(broken(error)),
    }
}

/// Takes a message that has arrived, if any.
fn receive(socket: &zmq::Socket) -> Result<Option<Vec<Vec<u8>>>, NoAnswer> {
    match socket.recv_multipart(zmq::DONTWAIT) {
        Ok(frames) => Ok(Some(frames)),
        Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => Ok(None),
        Err(error) => Err(broken(error)),
    }
}

fn broken(error: zmq::Error) -> NoAnswer {
    NoAnswer::Impossible(format!("the stdin socket fails: {error}"))
}

/// Whether `reply` answers the question `asked` that was sent to the client of `request`. Some
/// clients do not say which question they answer.
fn answers(reply: &Message, request: &Message, asked: &Header) -> bool {
    let parent = reply.parent.as_ref().and_then(Header::msg_id);
    reply.header.msg_type() == "input_reply"
        && reply.identities == request.identities
        && parent.is_none_or(|parent| Some(parent) == asked.msg_id())
}

fn answer_in(reply: &Message) -> Result<String, NoAnswer> {
    match &reply.content["value"] {
        Value::String(value) => Ok(value.clone()),
        _ => Err(NoAnswer::Impossible(
            "the front-end answered without a `value`".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jupyter::wire::Signer;

    const ENDPOINT: &str = "inproc://stdin";

    fn codec() -> Codec {
        Codec::new(Signer::new("key"))
    }

    fn question() -> Question {
        Question {
            prompt: "Name: ".to_owned(),
            password: false,
        }
    }

    fn message(msg_type: &str, content: Value) -> Message {
        Message {
            identities: vec![b"client".to_vec()],
            header: Header::new(msg_type, "client"),
            parent: None,
            metadata: json!({}),
            content,
            buffers: vec![],
        }
    }

    /// Answers as `client`. The router adds the identity of the client.
    fn reply(client: &zmq::Socket, value: &str, parent: Option<Header>) {
        let mut message = message("input_reply", json!({"value": value}));
        message.identities.clear();
        message.parent = parent;
        client.send_multipart(codec().encode(message), 0).unwrap();
    }

    fn connected() -> (zmq::Context, Stdin, zmq::Socket) {
        let context = zmq::Context::new();
        let stdin = Stdin::bind(&context, ENDPOINT, codec()).unwrap();
        let client = context.socket(zmq::DEALER).unwrap();
        client.set_identity(b"client").unwrap();
        client.connect(ENDPOINT).unwrap();
        (context, stdin, client)
    }

    #[test]
    fn an_answer_to_another_question_is_passed_over() {
        let (_context, stdin, client) = connected();
        reply(&client, "before the question", None);
        let request = message("execute_request", json!({}));
        let answer = thread::scope(|scope| {
            let asking = scope.spawn(|| stdin.ask(&request, &question(), &|| false));
            let asked = codec().decode(client.recv_multipart(0).unwrap()).unwrap();
            assert_eq!(asked.header.msg_type(), "input_request");
            assert_eq!(asked.parent.as_ref(), Some(&request.header));
            assert_eq!(
                asked.content,
                json!({"prompt": "Name: ", "password": false})
            );
            let stale = Header::new("input_request", "kernel");
            reply(&client, "to another question", Some(stale));
            client.send("garbage", 0).unwrap();
            reply(&client, "Ferris", Some(asked.header));
            asking.join().unwrap()
        });
        assert_eq!(answer, Ok("Ferris".to_owned()));
    }

    #[test]
    fn waiting_ends_when_it_is_given_up() {
        let (_context, stdin, _client) = connected();
        let request = message("execute_request", json!({}));
        let answer = stdin.ask(&request, &question(), &|| true);
        assert_eq!(answer, Err(NoAnswer::GivenUp));
    }

    #[test]
    fn a_client_without_a_stdin_socket_cannot_be_asked() {
        let context = zmq::Context::new();
        let stdin = Stdin::bind(&context, ENDPOINT, codec()).unwrap();
        let request = message("execute_request", json!({}));
        let answer = stdin.ask(&request, &question(), &|| false);
        assert!(matches!(answer, Err(NoAnswer::Impossible(why)) if why.contains("not connected")));
    }
}
