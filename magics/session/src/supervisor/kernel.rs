//! The connection to the kernel.

use memit_measure::protocol::Frame as _;
use memit_measurement::{Event, Request};
use memit_process::process::poll;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

pub(super) struct Kernel(UnixStream);

impl Kernel {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self(stream)
    }

    pub(super) fn send(&mut self, event: &Event) -> io::Result<()> {
        event.write(&mut self.0)
    }

    /// The next request; `None` when the kernel has gone away.
    pub(super) fn receive(&mut self) -> io::Result<Option<Request>> {
        Request::read(&mut self.0)
    }

    /// Whether the kernel keeps up with reading.
    pub(super) fn has_room(&self) -> io::Result<bool> {
        poll::is_writable(&self.0)
    }
}

impl AsFd for Kernel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
