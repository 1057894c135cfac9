//! What cells write to their standard output and standard error.

use std::io;
use std::time::Duration;

use memit_measurement::Event;
use memit_measurement::message::{CLEAR_OUTPUT, PLACED, VALUE, WAIT};
use memit_process::process::poll;

use super::Peers;
use super::gallery::Gallery;
use super::markers::Scanner;
use super::piece::Piece;
use super::wires::Pipe;

/// More reads than a full pipe needs.
const PIPE_READS: usize = 64;

pub(super) struct Output {
    pub(super) stdout: Pipe,
    pub(super) stderr: Pipe,
    scanner: Scanner,
    gallery: Gallery,
}

impl Output {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            stdout: Pipe::nonblocking()?,
            stderr: Pipe::nonblocking()?,
            scanner: Scanner::default(),
            gallery: Gallery::default(),
        })
    }

    /// Forwards what standard output holds; false if it holds nothing.
    pub(super) fn forward_stdout(&mut self, peers: &mut Peers) -> io::Result<bool> {
        let bytes = self.stdout.read()?;
        for piece in self.scanner.feed(&bytes) {
            self.forward(piece, peers)?;
        }
        Ok(!bytes.is_empty())
    }

    /// Forwards what standard error holds; false if it holds nothing.
    pub(super) fn forward_stderr(&mut self, peers: &mut Peers) -> io::Result<bool> {
        let bytes = self.stderr.read()?;
        let some = !bytes.is_empty();
        if some {
            peers.kernel.send(&Event::Stderr(bytes))?;
        }
        Ok(some)
    }

    /// Forwards what both hold now. Bytes that threads go on writing come later.
    pub(super) fn drain(&mut self, peers: &mut Peers) -> io::Result<()> {
        for _ in 0..PIPE_READS {
            let fds = [&self.stdout, &self.stderr].map(std::os::fd::AsFd::as_fd);
            let [stdout, stderr] = poll::readable(fds, Some(Duration::ZERO))?;
            let forwarded =
                (stdout && self.forward_stdout(peers)?) | (stderr && self.forward_stderr(peers)?);
            if !forwarded {
                break;
            }
        }
        Ok(())
    }

    /// Forwards what both hold at the end of a cell. `shows_open` says that the part of a content
    /// whose end is missing is shown, as text.
    pub(super) fn end(&mut self, peers: &mut Peers, shows_open: bool) -> io::Result<()> {
        self.drain(peers)?;
        match self.scanner.end(shows_open) {
            Some(piece) => self.forward(piece, peers),
            None => Ok(()),
        }
    }

    fn forward(&mut self, piece: Piece, peers: &mut Peers) -> io::Result<()> {
        match piece {
            Piece::Output(bytes) => {
                self.show_pending(peers)?;
                peers.kernel.send(&Event::Stdout(bytes))
            }
            Piece::Content(mime, content) if mime == CLEAR_OUTPUT => {
                self.show_pending(peers)?;
                let waits = content.trim() == WAIT;
                peers.kernel.send(&Event::ClearOutput(waits))
            }
            Piece::Content(mime, content) if mime == PLACED => {
                self.show_pending(peers)?;
                match serde_json::from_str(&content) {
                    Ok(placed) => peers.kernel.send(&Event::Placed(placed)),
                    Err(_) => peers.kernel.send(&Event::Stdout(content.into_bytes())),
                }
            }
            Piece::Content(mime, text) if mime == VALUE => match self.gallery.add_value(text) {
                Some(output) => peers.kernel.send(&Event::Displayed(output)),
                None => Ok(()),
            },
            Piece::Content(mime, content) => match self.gallery.add(mime, content) {
                Some(output) => peers.kernel.send(&Event::Displayed(output)),
                None => Ok(()),
            },
            Piece::Question(line) if peers.evcxr.ask(&line) => Ok(()),
            Piece::Question(line) => peers.kernel.send(&Event::Stdout(line)),
        }
    }

    /// Whether an output may still get another representation.
    pub(super) fn is_pending(&self) -> bool {
        self.gallery.is_pending()
    }

    /// Shows the output that may still get another representation.
    pub(super) fn show_pending(&mut self, peers: &mut Peers) -> io::Result<()> {
        match self.gallery.take(false) {
            Some(output) => peers.kernel.send(&Event::Displayed(output)),
            None => Ok(()),
        }
    }

    /// Shows the last output of a cell. `is_well` says that the cell has not failed.
    pub(super) fn show_last(&mut self, peers: &mut Peers, is_well: bool) -> io::Result<()> {
        self.gallery
            .end(is_well)
            .try_for_each(|output| peers.kernel.send(&Event::Displayed(output)))
    }

    /// Forwards everything up to now.
    pub(super) fn finish(&mut self, peers: &mut Peers) -> io::Result<()> {
        self.drain(peers)?;
        self.show_pending(peers)
    }

    /// Forgets what has been read and not forwarded.
    pub(super) fn clear(&mut self) {
        self.scanner.end(false);
        self.gallery = Gallery::default();
    }
}
