//! Wakes a thread that waits on a zmq socket, to make it look into a channel.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Wakes a [`Sleeper`]. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(super) struct Waker {
    stream: Arc<UnixStream>,
    /// Whether a wake is pending that the sleeper has not seen.
    woken: Arc<AtomicBool>,
}

/// The thread's end of a [`Waker`]. Once all wakers are dropped, waits return at once.
pub(super) struct Sleeper {
    stream: UnixStream,
    woken: Arc<AtomicBool>,
}

/// Creates a waker and its sleeper.
pub(super) fn wake_pair() -> io::Result<(Waker, Sleeper)> {
    let (stream, received) = UnixStream::pair()?;
    received.set_nonblocking(true)?;
    let woken = Arc::new(AtomicBool::new(false));
    let waker = Waker {
        stream: Arc::new(stream),
        woken: Arc::clone(&woken),
    };
    let sleeper = Sleeper {
        stream: received,
        woken,
    };
    Ok((waker, sleeper))
}

impl Waker {
    /// Makes the sleeper return from its current or its next wait.
    pub(super) fn wake(&self) {
        if !self.woken.swap(true, SeqCst) {
            // At most one byte is pending, so there is room. If the sleeper is gone, nobody waits.
            let _ = self.stream.as_ref().write(&[0]);
        }
    }
}

impl Sleeper {
    /// Waits for a wake, or until `socket` can be read. Everything that was put into the channel
    /// before the wake is there when this returns.
    pub(super) fn wait(&self, socket: &zmq::Socket) -> zmq::Result<()> {
        let mut items = [
            zmq::PollItem::from_fd(self.stream.as_raw_fd(), zmq::POLLIN),
            socket.as_poll_item(zmq::POLLIN),
        ];
        match zmq::poll(&mut items, -1) {
            // Signals interrupt a poll; another thread handles them.
            Ok(_) | Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error),
        }
        if items[0].is_readable() {
            // Read before the flag is cleared, because a later wake writes again.
            let _ = (&self.stream).read(&mut [0]);
            self.woken.store(false, SeqCst);
        }
        Ok(())
    }
}
