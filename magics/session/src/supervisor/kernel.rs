//! The connection to the kernel.

use memit_measure::protocol::Frame as _;
use memit_measurement::{Event, Request};
use memit_process::process::poll;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

pub(super) struct Kernel {
    stream: UnixStream,
    is_lost: bool,
}

impl Kernel {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            is_lost: false,
        }
    }

    /// Sends an event. Instead of one that is too large, the user gets a note.
    pub(super) fn send(&mut self, event: &Event) -> io::Result<()> {
        let sent = match event.write(&mut self.stream) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let note = format!("memit: a part of the output is not shown: {error}\n");
                Event::Stderr(note.into_bytes()).write(&mut self.stream)
            }
            sent => sent,
        };
        self.is_lost |= sent.is_err();
        sent
    }

    /// The next request; `None` when the kernel has gone away.
    pub(super) fn receive(&mut self) -> Option<Request> {
        Request::read(&mut self.stream).ok().flatten()
    }

    /// Whether the kernel keeps up with reading.
    pub(super) fn has_room(&self) -> io::Result<bool> {
        poll::is_writable(&self.stream)
    }

    /// Whether the kernel could not be reached: it has gone away.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }
}

impl AsFd for Kernel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
