//! The stdin socket, by which a kernel asks the user for input.

use super::bind::bind;

/// The bound socket. memit asks for no input yet; clients connect to it all the same.
pub(crate) struct Stdin {
    _socket: zmq::Socket,
}

impl Stdin {
    /// Binds the socket.
    pub(crate) fn bind(context: &zmq::Context, endpoint: &str) -> anyhow::Result<Self> {
        Ok(Self {
            _socket: bind(context, zmq::ROUTER, "stdin", endpoint)?,
        })
    }
}
