//! [`Event`]s and [`Request`]s as frames on a byte stream.
//!
//! A frame is one byte for its kind, the length of its payload as four little-endian bytes,
//! and the payload: raw bytes for output, JSON for the rest.

use std::io::{self, Read, Write};

use memit_measurement::{Event, Request};
use serde::Serialize;

/// Largest payload that is accepted, so that a broken peer cannot exhaust memory.
const MAX_PAYLOAD: u32 = 256 << 20;

mod kind {
    pub(super) const STARTED: u8 = 1;
    pub(super) const RESTORED: u8 = 2;
    pub(super) const STDOUT: u8 = 3;
    pub(super) const STDERR: u8 = 4;
    pub(super) const DISPLAYED: u8 = 5;
    pub(super) const PANICKED: u8 = 6;
    pub(super) const MEASURED: u8 = 7;
    pub(super) const ENDED: u8 = 8;
    pub(super) const SYNCED: u8 = 9;
    pub(super) const DESCRIBED: u8 = 10;
    pub(super) const UNDONE: u8 = 11;
    pub(super) const CHECKPOINTED: u8 = 12;
    pub(super) const UNPROTECTED: u8 = 13;
    pub(super) const COMPLETED: u8 = 14;
    pub(super) const CLEAR_OUTPUT: u8 = 15;
    pub(super) const COUNTED: u8 = 16;
    pub(super) const PROGRESS: u8 = 17;
    pub(super) const KEPT: u8 = 18;
    pub(super) const FAILED: u8 = 19;
    pub(super) const UNCAUGHT: u8 = 20;
    pub(super) const VARIABLE_LOST: u8 = 21;
    pub(super) const NOT_STARTED: u8 = 22;
    pub(super) const VARIABLE_NAMED: u8 = 23;
    pub(super) const VARIABLE_LEAKED: u8 = 24;
    pub(super) const PLACED: u8 = 25;
    pub(super) const REMARKED: u8 = 26;
    pub(super) const RAN: u8 = 27;

    pub(super) const BEGIN_CELL: u8 = 32;
    pub(super) const PASSING: u8 = 33;
    pub(super) const INTERRUPT: u8 = 34;
    pub(super) const SYNC: u8 = 35;
    pub(super) const DESCRIBE: u8 = 36;
    pub(super) const UNDO: u8 = 37;
    pub(super) const PRELUDE: u8 = 38;
    pub(super) const CLOSE_INPUT: u8 = 39;
    pub(super) const CLEAR: u8 = 40;
}

/// A message that is one frame.
pub trait Frame: Sized {
    /// Writes the message as one frame.
    ///
    /// # Errors
    ///
    /// If the stream fails, or the message is too long for a frame.
    fn write(&self, out: &mut impl Write) -> io::Result<()>;

    /// Reads the next message; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// If the stream fails, ends within a frame, or holds another kind of frame.
    fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let Some((kind, payload)) = read_frame(from)? else {
            return Ok(None);
        };
        Self::parse(kind, payload).map(Some)
    }

    /// The message of a frame.
    ///
    /// # Errors
    ///
    /// If the frame holds another kind of message.
    fn parse(kind: u8, payload: Vec<u8>) -> io::Result<Self>;
}

impl Frame for Event {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Started(process) => write_json(out, kind::STARTED, process),
            Self::NotStarted(reason) => write_json(out, kind::NOT_STARTED, reason),
            Self::Restored(process) => write_json(out, kind::RESTORED, process),
            Self::Stdout(bytes) => write_frame(out, kind::STDOUT, bytes),
            Self::Stderr(bytes) => write_frame(out, kind::STDERR, bytes),
            Self::Displayed(displayed) => write_json(out, kind::DISPLAYED, displayed),
            Self::ClearOutput(wait) => write_json(out, kind::CLEAR_OUTPUT, wait),
            Self::Panicked(panic) => write_json(out, kind::PANICKED, panic),
            Self::Failed(failed) => write_json(out, kind::FAILED, failed),
            Self::Remarked(remarks) => write_json(out, kind::REMARKED, remarks),
            Self::Measured(measured) => write_json(out, kind::MEASURED, measured),
            Self::Placed(placed) => write_json(out, kind::PLACED, placed),
            Self::Kept(measured) => write_json(out, kind::KEPT, measured),
            Self::Progress(progress) => write_json(out, kind::PROGRESS, progress),
            Self::Counted(counted) => write_json(out, kind::COUNTED, counted),
            Self::Ran(cost) => write_json(out, kind::RAN, cost),
            Self::Ended(ended) => write_json(out, kind::ENDED, ended),
            Self::Synced(number) => write_frame(out, kind::SYNCED, &number.to_le_bytes()),
            Self::Described(described) => write_json(out, kind::DESCRIBED, described),
            Self::Undone(done) => write_json(out, kind::UNDONE, done),
            Self::Checkpointed(checkpoint) => write_json(out, kind::CHECKPOINTED, checkpoint),
            Self::Unprotected(reason) => write_json(out, kind::UNPROTECTED, reason),
            Self::Uncaught => write_frame(out, kind::UNCAUGHT, &[]),
            Self::VariableLost(name) => write_json(out, kind::VARIABLE_LOST, name),
            Self::VariableNamed { name, of } => write_json(out, kind::VARIABLE_NAMED, &(name, of)),
            Self::VariableLeaked(name) => write_json(out, kind::VARIABLE_LEAKED, name),
            Self::Completed => write_frame(out, kind::COMPLETED, &[]),
        }
    }

    fn parse(kind: u8, payload: Vec<u8>) -> io::Result<Self> {
        Ok(match kind {
            kind::STARTED => Self::Started(serde_json::from_slice(&payload)?),
            kind::NOT_STARTED => Self::NotStarted(serde_json::from_slice(&payload)?),
            kind::RESTORED => Self::Restored(serde_json::from_slice(&payload)?),
            kind::STDOUT => Self::Stdout(payload),
            kind::STDERR => Self::Stderr(payload),
            kind::DISPLAYED => Self::Displayed(serde_json::from_slice(&payload)?),
            kind::CLEAR_OUTPUT => Self::ClearOutput(serde_json::from_slice(&payload)?),
            kind::PANICKED => Self::Panicked(serde_json::from_slice(&payload)?),
            kind::FAILED => Self::Failed(serde_json::from_slice(&payload)?),
            kind::REMARKED => Self::Remarked(serde_json::from_slice(&payload)?),
            kind::MEASURED => Self::Measured(serde_json::from_slice(&payload)?),
            kind::PLACED => Self::Placed(serde_json::from_slice(&payload)?),
            kind::KEPT => Self::Kept(serde_json::from_slice(&payload)?),
            kind::PROGRESS => Self::Progress(serde_json::from_slice(&payload)?),
            kind::COUNTED => Self::Counted(serde_json::from_slice(&payload)?),
            kind::RAN => Self::Ran(serde_json::from_slice(&payload)?),
            kind::ENDED => Self::Ended(serde_json::from_slice(&payload)?),
            kind::SYNCED => Self::Synced(number(&payload)?),
            kind::DESCRIBED => Self::Described(serde_json::from_slice(&payload)?),
            kind::UNDONE => Self::Undone(serde_json::from_slice(&payload)?),
            kind::CHECKPOINTED => Self::Checkpointed(serde_json::from_slice(&payload)?),
            kind::UNPROTECTED => Self::Unprotected(serde_json::from_slice(&payload)?),
            kind::UNCAUGHT => Self::Uncaught,
            kind::VARIABLE_LOST => Self::VariableLost(serde_json::from_slice(&payload)?),
            kind::VARIABLE_NAMED => {
                let (name, of) = serde_json::from_slice(&payload)?;
                Self::VariableNamed { name, of }
            }
            kind::VARIABLE_LEAKED => Self::VariableLeaked(serde_json::from_slice(&payload)?),
            kind::COMPLETED => Self::Completed,
            other => return Err(unknown(other)),
        })
    }
}

impl Frame for Request {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::BeginCell(cell) => write_frame(out, kind::BEGIN_CELL, &cell.to_le_bytes()),
            Self::Passing => write_frame(out, kind::PASSING, &[]),
            Self::Prelude => write_frame(out, kind::PRELUDE, &[]),
            Self::CloseInput => write_frame(out, kind::CLOSE_INPUT, &[]),
            Self::Interrupt => write_frame(out, kind::INTERRUPT, &[]),
            Self::Sync(number) => write_frame(out, kind::SYNC, &number.to_le_bytes()),
            Self::Describe => write_frame(out, kind::DESCRIBE, &[]),
            Self::Undo(cell) => write_frame(out, kind::UNDO, &cell.to_le_bytes()),
            Self::Clear => write_frame(out, kind::CLEAR, &[]),
        }
    }

    fn parse(kind: u8, payload: Vec<u8>) -> io::Result<Self> {
        Ok(match kind {
            kind::BEGIN_CELL => Self::BeginCell(number(&payload)?),
            kind::PASSING => Self::Passing,
            kind::PRELUDE => Self::Prelude,
            kind::CLOSE_INPUT => Self::CloseInput,
            kind::INTERRUPT => Self::Interrupt,
            kind::SYNC => Self::Sync(number(&payload)?),
            kind::DESCRIBE => Self::Describe,
            kind::UNDO => Self::Undo(number(&payload)?),
            kind::CLEAR => Self::Clear,
            other => return Err(unknown(other)),
        })
    }
}

/// Puts events together that arrive in pieces. The last piece may never come, because the writer
/// may be killed at any moment.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
}

impl Inbox {
    /// Adds bytes of the stream.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Discards a piece that nobody will complete.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Takes the next whole event; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// If the bytes are not an event.
    pub fn take(&mut self) -> io::Result<Option<Event>> {
        let Some((kind, length)) = self.bytes.split_first_chunk::<HEAD>().map(|(head, _)| {
            let [kind, length @ ..] = *head;
            (kind, u32::from_le_bytes(length) as usize)
        }) else {
            return Ok(None);
        };
        if length > MAX_PAYLOAD as usize {
            return Err(too_long());
        }
        let end = HEAD + length;
        if self.bytes.len() < end {
            return Ok(None);
        }
        let payload = self.bytes[HEAD..end].to_vec();
        self.bytes.drain(..end);
        Event::parse(kind, payload).map(Some)
    }
}

/// Bytes of a frame in front of its payload.
const HEAD: usize = 5;

fn write_json(out: &mut impl Write, kind: u8, value: &impl Serialize) -> io::Result<()> {
    write_frame(out, kind, &serde_json::to_vec(value)?)
}

/// Writes a frame in one `write` call, so that a frame which fits into a pipe is not torn apart.
fn write_frame(out: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| *length <= MAX_PAYLOAD)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, TOO_LONG))?;
    let mut frame = Vec::with_capacity(payload.len() + HEAD);
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
        return Err(too_long());
    }
    let mut payload = vec![0; length as usize];
    from.read_exact(&mut payload)?;
    Ok(Some((kind[0], payload)))
}

const TOO_LONG: &str = "frame is too long";

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, TOO_LONG)
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
    use memit_measurement::{
        Checkpointed, Described, Displayed, Ended, Failure, FailureKind, Measured, Panic, Placed,
        Process, QuestionMark, Remark, TimeMeasurement,
    };

    #[test]
    fn events_survive_the_stream() {
        let events = [
            Event::Started(Process { pid: 7 }),
            Event::NotStarted("no more processes".into()),
            Event::Restored(Process { pid: 8 }),
            Event::Displayed(Displayed {
                contents: vec![("text/html".into(), "<b>".into())],
                last: true,
            }),
            Event::Described(Described {
                pid: Some(7),
                checkpoints: vec![1, 2],
                ..Described::default()
            }),
            Event::Undone(true),
            Event::ClearOutput(true),
            Event::Checkpointed(Checkpointed { slot: 1, pid: 9 }),
            Event::Unprotected("threads".into()),
            Event::Stdout(b"partial line".to_vec()),
            Event::Stderr(vec![0xff, 0]),
            Event::Panicked(Panic {
                message: "boo".into(),
                ..Panic::default()
            }),
            Event::Failed(QuestionMark {
                display: "no such file".into(),
                ..QuestionMark::default()
            }),
            Event::Remarked(vec![
                Remark::Wrote {
                    to: vec!["`log.txt`".into()],
                },
                Remark::Future,
            ]),
            Event::Measured(Measured::Failed(Failure {
                cause: FailureKind::Signal { number: 11 },
                peak_rss: Some(4096),
                threads: 1,
                in_place: false,
                needs_fresh: false,
            })),
            Event::Placed(Placed {
                magic: 7,
                place: "n = 10".into(),
                measured: Measured::Time(TimeMeasurement::default()),
                remarks: vec![Remark::Iterator],
                plain_ns: Some(7),
            }),
            Event::Ended(Ended::Signal(9)),
            Event::Synced(u64::MAX),
            Event::Uncaught,
            Event::VariableLost("v".into()),
            Event::VariableNamed {
                name: "v".into(),
                of: "u8".into(),
            },
            Event::VariableLeaked("v".into()),
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
        let requests = [
            Request::BeginCell(2),
            Request::Passing,
            Request::Prelude,
            Request::CloseInput,
            Request::Interrupt,
            Request::Sync(3),
            Request::Describe,
            Request::Undo(2),
            Request::Clear,
        ];
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
    fn events_may_arrive_in_pieces() {
        let mut stream = Vec::new();
        Event::Unprotected("threads".into())
            .write(&mut stream)
            .unwrap();
        Event::Completed.write(&mut stream).unwrap();
        let mut inbox = Inbox::default();
        let mut events = Vec::new();
        for byte in stream {
            inbox.add(&[byte]);
            events.extend(inbox.take().unwrap());
        }
        assert_eq!(
            events,
            [Event::Unprotected("threads".into()), Event::Completed]
        );
    }

    #[test]
    fn a_torn_or_unknown_frame_is_an_error() {
        assert!(Event::read(&mut [3, 9, 0, 0, 0, b'x'].as_slice()).is_err());
        assert!(Event::read(&mut [99, 0, 0, 0, 0].as_slice()).is_err());
        assert!(Event::read(&mut [3, 0xff, 0xff, 0xff, 0xff].as_slice()).is_err());
    }
}
