//! The heartbeat socket: echoes every message, so that clients see that the kernel is alive.

use std::thread::{self, JoinHandle};

use anyhow::Context as _;

use super::bind::bind;
use super::stop::{StopSignal, Stopper, Woken, stop_pair};

/// The thread of the heartbeat. It does nothing else, so cells cannot delay it.
pub(crate) struct Heartbeat {
    stopper: Stopper,
    thread: JoinHandle<()>,
}

impl Heartbeat {
    /// Binds the socket and starts the thread.
    pub(crate) fn start(context: &zmq::Context, endpoint: &str) -> anyhow::Result<Self> {
        let socket = bind(context, zmq::ROUTER, "heartbeat", endpoint)?;
        let (stopper, signal) = stop_pair(context, "heartbeat")?;
        let thread = thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || {
                if let Err(error) = echo(&socket, &signal) {
                    tracing::error!("the heartbeat stopped: {error}");
                }
            })
            .context("cannot start the heartbeat thread")?;
        Ok(Self { stopper, thread })
    }

    /// Ends the thread and closes the socket.
    pub(crate) fn stop(self) {
        self.stopper.stop();
        if self.thread.join().is_err() {
            tracing::error!("the heartbeat thread panicked");
        }
    }
}

fn echo(socket: &zmq::Socket, signal: &StopSignal) -> zmq::Result<()> {
    while let Woken::Message = signal.wait(socket)? {
        match socket.recv_multipart(zmq::DONTWAIT) {
            Ok(frames) => socket.send_multipart(frames, zmq::DONTWAIT)?,
            Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_whatever_it_is_sent() {
        let context = zmq::Context::new();
        let heartbeat = Heartbeat::start(&context, "inproc://heartbeat").unwrap();
        let client = context.socket(zmq::REQ).unwrap();
        client.connect("inproc://heartbeat").unwrap();
        for ping in [&b"ping"[..], b"", b"\xff\0"] {
            client.send(ping, 0).unwrap();
            assert_eq!(client.recv_bytes(0).unwrap(), ping);
        }
        heartbeat.stop();
    }
}
