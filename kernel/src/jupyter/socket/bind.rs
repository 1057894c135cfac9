//! Creates sockets and binds them.

use anyhow::Context as _;

/// How long, in milliseconds, a closing socket waits for clients to receive its messages: the last
/// `idle` and the reply to `shutdown_request` are sent when the process is about to end.
const LINGER_MS: i32 = 500;

/// Creates a socket that listens at `endpoint`. Errors name the socket (`name`) and the endpoint.
pub(super) fn bind(
    context: &zmq::Context,
    kind: zmq::SocketType,
    name: &str,
    endpoint: &str,
) -> anyhow::Result<zmq::Socket> {
    open(context, kind, endpoint)
        .with_context(|| format!("cannot listen for the {name} socket at {endpoint}"))
}

fn open(context: &zmq::Context, kind: zmq::SocketType, endpoint: &str) -> zmq::Result<zmq::Socket> {
    let socket = context.socket(kind)?;
    socket.set_linger(LINGER_MS)?;
    // By default zmq drops messages beyond 1000: a cell that prints a lot would lose output, and a
    // long queue of cells would lose replies.
    socket.set_sndhwm(0)?;
    socket.set_rcvhwm(0)?;
    if is_ipv6(endpoint) {
        socket.set_ipv6(true)?;
    }
    socket.bind(endpoint)?;
    Ok(socket)
}

/// Whether the host of a TCP endpoint is an IPv6 address, which zmq accepts only after `set_ipv6`.
fn is_ipv6(endpoint: &str) -> bool {
    endpoint
        .strip_prefix("tcp://")
        .is_some_and(|address| address.matches(':').count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_in_use_is_named() {
        let context = zmq::Context::new();
        let first = bind(&context, zmq::ROUTER, "shell", "tcp://127.0.0.1:*").unwrap();
        let endpoint = first.get_last_endpoint().unwrap().unwrap();
        let Err(error) = bind(&context, zmq::ROUTER, "control", &endpoint) else {
            panic!("{endpoint} was bound twice");
        };
        assert_eq!(
            format!("{error:#}"),
            format!("cannot listen for the control socket at {endpoint}: Address already in use")
        );
    }

    #[test]
    fn listens_on_ipv6_too() {
        assert!(is_ipv6("tcp://::1:4711"));
        assert!(!is_ipv6("tcp://127.0.0.1:4711"));
        assert!(!is_ipv6("ipc:///tmp/a:b:c-1"));
    }
}
