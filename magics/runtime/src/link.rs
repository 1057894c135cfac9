//! What the session's processes and the kernel say to each other, as frames on a byte stream.
//!
//! A frame is one byte for its kind, the length of its payload as four little-endian bytes,
//! and the payload: raw bytes for output, JSON for the rest.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::measurement::{Measured, Panic};

/// Environment variable with the path of the kernel's listening socket.
pub const SOCKET_VARIABLE: &str = "MEMIT_SESSION_SOCKET";

/// Stands for a colon in the prompt of a question to the user, which evcxr cuts off at the next
/// colon.
pub const COLON: u8 = 0x1f;

/// Largest payload that is accepted, so that a broken peer cannot exhaust memory.
const MAX_PAYLOAD: u32 = 256 << 20;

/// From the session's side to the kernel.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The session process has started. Sent first on each connection.
    Started(Started),
    /// Bytes that user code wrote to standard output.
    Stdout(Vec<u8>),
    /// Bytes that user code wrote to standard error.
    Stderr(Vec<u8>),
    /// The cell panicked and nothing in it caught the panic.
    Panicked(Panic),
    /// A magic has measured.
    Measured(Measured),
    /// The session process has ended by itself; the connection closes next.
    Ended(Ended),
    /// Answer to [`Request::Sync`].
    Synced(u64),
    /// The cell has run. The session process tells its supervisor, which tells evcxr.
    Completed,
}

/// The session process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Its process id.
    pub pid: u32,
}

/// How the session process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It called `exit` with this code.
    Exit(i32),
    /// This signal ended it.
    Signal(i32),
    /// The user interrupted it.
    Interrupted,
}

/// From the kernel to the session's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// A cell begins: an interrupt of an earlier one is forgotten.
    BeginCell,
    /// Stop what is running.
    Interrupt,
    /// Answer with the same number once all output so far has been sent.
    Sync(u64),
}

mod kind {
    pub(super) const STARTED: u8 = 1;
    pub(super) const STDOUT: u8 = 2;
    pub(super) const STDERR: u8 = 3;
    pub(super) const PANICKED: u8 = 4;
    pub(super) const MEASURED: u8 = 5;
    pub(super) const ENDED: u8 = 6;
    pub(super) const SYNCED: u8 = 7;
    pub(super) const BEGIN_CELL: u8 = 8;
    pub(super) const INTERRUPT: u8 = 9;
    pub(super) const SYNC: u8 = 10;
    pub(super) const COMPLETED: u8 = 11;
}

impl Event {
    /// Writes the event as one frame.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Started(started) => write_json(out, kind::STARTED, started),
            Self::Stdout(bytes) => write_frame(out, kind::STDOUT, bytes),
            Self::Stderr(bytes) => write_frame(out, kind::STDERR, bytes),
            Self::Panicked(panic) => write_json(out, kind::PANICKED, panic),
            Self::Measured(measured) => write_json(out, kind::MEASURED, measured),
            Self::Ended(ended) => write_json(out, kind::ENDED, ended),
            Self::Synced(number) => write_frame(out, kind::SYNCED, &number.to_le_bytes()),
            Self::Completed => write_frame(out, kind::COMPLETED, &[]),
        }
    }

    /// Reads the next event; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// If the stream fails, ends within a frame, or holds something that is not an event.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let Some((kind, payload)) = read_frame(from)? else {
            return Ok(None);
        };
        Ok(Some(match kind {
            kind::STARTED => Self::Started(serde_json::from_slice(&payload)?),
            kind::STDOUT => Self::Stdout(payload),
            kind::STDERR => Self::Stderr(payload),
            kind::PANICKED => Self::Panicked(serde_json::from_slice(&payload)?),
            kind::MEASURED => Self::Measured(serde_json::from_slice(&payload)?),
            kind::ENDED => Self::Ended(serde_json::from_slice(&payload)?),
            kind::SYNCED => Self::Synced(number(&payload)?),
            kind::COMPLETED => Self::Completed,
            other => return Err(unknown(other)),
        }))
    }
}

impl Request {
    /// Writes the request as one frame.
    pub fn write(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::BeginCell => write_frame(out, kind::BEGIN_CELL, &[]),
            Self::Interrupt => write_frame(out, kind::INTERRUPT, &[]),
            Self::Sync(number) => write_frame(out, kind::SYNC, &number.to_le_bytes()),
        }
    }

    /// Reads the next request; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`Event::read`].
    pub fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let Some((kind, payload)) = read_frame(from)? else {
            return Ok(None);
        };
        Ok(Some(match kind {
            kind::BEGIN_CELL => Self::BeginCell,
            kind::INTERRUPT => Self::Interrupt,
            kind::SYNC => Self::Sync(number(&payload)?),
            other => return Err(unknown(other)),
        }))
    }
}

fn write_json(out: &mut impl Write, kind: u8, value: &impl Serialize) -> io::Result<()> {
    write_frame(out, kind, &serde_json::to_vec(value)?)
}

/// One `write` call a frame, so that frames of a pipe's size are not torn apart.
fn write_frame(out: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| *length <= MAX_PAYLOAD)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "frame is too long"))?;
    let mut frame = Vec::with_capacity(payload.len() + 5);
    frame.push(kind);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(payload);
    out.write_all(&frame)
}

fn read_frame(from: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut kind = [0];
    loop {
        match from.read(&mut kind) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MAX_PAYLOAD {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "frame is too long",
        ));
    }
    let mut payload = vec![0; length as usize];
    from.read_exact(&mut payload)?;
    Ok(Some((kind[0], payload)))
}

fn number(payload: &[u8]) -> io::Result<u64> {
    let bytes = payload
        .try_into()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a number of eight bytes"))?;
    Ok(u64::from_le_bytes(bytes))
}

fn unknown(kind: u8) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unknown frame {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurement::{Failure, FailureKind};

    #[test]
    fn events_survive_the_stream() {
        let events = [
            Event::Started(Started { pid: 7 }),
            Event::Stdout(b"partial line".to_vec()),
            Event::Stderr(vec![0xff, 0]),
            Event::Panicked(Panic {
                message: "boo".into(),
                ..Panic::default()
            }),
            Event::Measured(Measured::Failed(Failure {
                cause: FailureKind::Signal { number: 11 },
                peak_rss: Some(4096),
                threads: 1,
            })),
            Event::Ended(Ended::Signal(9)),
            Event::Synced(u64::MAX),
            Event::Completed,
        ];
        let mut stream = Vec::new();
        for event in &events {
            event.write(&mut stream).unwrap();
        }
        let mut stream = stream.as_slice();
        for event in &events {
            assert_eq!(Event::read(&mut stream).unwrap().as_ref(), Some(event));
        }
        assert_eq!(Event::read(&mut stream).unwrap(), None);
    }

    #[test]
    fn requests_survive_the_stream() {
        let requests = [Request::BeginCell, Request::Interrupt, Request::Sync(3)];
        let mut stream = Vec::new();
        for request in requests {
            request.write(&mut stream).unwrap();
        }
        let mut stream = stream.as_slice();
        for request in requests {
            assert_eq!(Request::read(&mut stream).unwrap(), Some(request));
        }
    }

    #[test]
    fn a_torn_or_unknown_frame_is_an_error() {
        assert!(Event::read(&mut [2, 9, 0, 0, 0, b'x'].as_slice()).is_err());
        assert!(Event::read(&mut [99, 0, 0, 0, 0].as_slice()).is_err());
        assert!(Event::read(&mut [2, 0xff, 0xff, 0xff, 0xff].as_slice()).is_err());
    }
}
