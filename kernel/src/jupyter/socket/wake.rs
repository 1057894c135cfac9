//! Wakes a thread that waits for a zmq socket when there is something for it in a channel.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Wakes a [`Sleeper`]. Cheap to clone, usable from any thread.
#[derive(Clone)]
pub(super) struct Waker {
    stream: Arc<UnixStream>,
    /// A wake is under way that the sleeper has not seen.
    woken: Arc<AtomicBool>,
}

/// The thread's end of a [`Waker`]; once all wakers are gone it sleeps no more.
pub(super) struct Sleeper {
    stream: UnixStream,
    woken: Arc<AtomicBool>,
}

/// A waker and its sleeper.
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
    /// Makes the sleeper return from the wait that it is in or enters next.
    pub(super) fn wake(&self) {
        if !self.woken.swap(true, SeqCst) {
            // At most one byte is under way, so there is room; and without a sleeper nobody waits.
            let _ = self.stream.as_ref().write(&[0]);
        }
    }
}

impl Sleeper {
    /// Waits until it is woken or `socket` can be read. Look into the channel afterwards: what was
    /// put there before a wake is there when this returns.
    pub(super) fn wait(&self, socket: &zmq::Socket) -> zmq::Result<()> {
        let mut items = [
            zmq::PollItem::from_fd(self.stream.as_raw_fd(), zmq::POLLIN),
            socket.as_poll_item(zmq::POLLIN),
        ];
        match zmq::poll(&mut items, -1) {
            // Signals interrupt a poll, and are dealt with on a thread of their own.
            Ok(_) | Err(zmq::Error::EINTR) => {}
            Err(error) => return Err(error),
        }
        if items[0].is_readable() {
            // Read before the flag is cleared: a wake from here on writes again.
            let _ = (&self.stream).read(&mut [0]);
            self.woken.store(false, SeqCst);
        }
        Ok(())
    }
}
