//! Stops a thread that waits on a socket.

/// Stops the thread that holds the [`StopSignal`].
pub(crate) struct Stopper {
    socket: zmq::Socket,
}

/// The thread's end of a [`Stopper`].
pub(super) struct StopSignal {
    socket: zmq::Socket,
}

/// Why [`StopSignal::wait`] returned.
pub(super) enum Woken {
    /// A message can be received.
    Message,
    /// The thread should end.
    Stop,
}

/// Creates a stopper and its signal. `name` must be unique in the context.
pub(super) fn stop_pair(context: &zmq::Context, name: &str) -> zmq::Result<(Stopper, StopSignal)> {
    let endpoint = format!("inproc://stop-{name}");
    let stopper = context.socket(zmq::PAIR)?;
    stopper.bind(&endpoint)?;
    let signal = context.socket(zmq::PAIR)?;
    signal.connect(&endpoint)?;
    Ok((Stopper { socket: stopper }, StopSignal { socket: signal }))
}

impl Stopper {
    /// Asks the thread to end once it has answered the current request.
    pub(crate) fn stop(&self) {
        // Fails if the thread has ended already.
        let _ = self.socket.send("stop", zmq::DONTWAIT);
    }
}

impl StopSignal {
    /// Waits until `socket` can be read or the thread should end, which takes precedence.
    pub(super) fn wait(&self, socket: &zmq::Socket) -> zmq::Result<Woken> {
        loop {
            let mut items = [
                self.socket.as_poll_item(zmq::POLLIN),
                socket.as_poll_item(zmq::POLLIN),
            ];
            match zmq::poll(&mut items, -1) {
                Ok(_) if items[0].is_readable() => return Ok(Woken::Stop),
                Ok(_) if items[1].is_readable() => return Ok(Woken::Message),
                // Signals interrupt a poll; another thread handles them.
                Ok(_) | Err(zmq::Error::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
