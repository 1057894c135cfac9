//! What the session's processes and the kernel say to each other.

use serde::{Deserialize, Serialize};

use crate::{LinesMeasurement, Measured, Panic, TimelineMeasurement};

/// Stands for a colon in the prompt of a question to the user, which evcxr cuts off at the next
/// colon.
pub const COLON: u8 = 0x1f;

/// The type of a content that is none: it takes away what the cell has shown, at once, or when the
/// next output comes if it is [`WAIT`].
pub const CLEAR_OUTPUT: &str = "application/vnd.memit.clear-output";

/// See [`CLEAR_OUTPUT`].
pub const WAIT: &str = "wait";

/// From the session's side to the kernel.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A session process has started, without variables.
    Started(Process),
    /// The session goes on from a checkpoint, in this process.
    Restored(Process),
    /// Bytes that user code wrote to standard output.
    Stdout(Vec<u8>),
    /// Bytes that user code wrote to standard error.
    Stderr(Vec<u8>),
    /// User code displayed something rich.
    Displayed(Displayed),
    /// What the cell has shown shall go; if true, when the next output comes.
    ClearOutput(bool),
    /// The cell panicked and nothing in it caught the panic.
    Panicked(Panic),
    /// A magic has measured.
    Measured(Measured),
    /// A magic has measured the cell itself, as it ran.
    Kept(Measured),
    /// How far a measurement over time has come.
    Progress(TimelineMeasurement),
    /// Functions with `#[profile]` have counted in a cell that is no measurement.
    Counted(LinesMeasurement),
    /// The session process has ended by itself, or was interrupted.
    Ended(Ended),
    /// Answer to [`Request::Sync`].
    Synced(u64),
    /// Answer to [`Request::Describe`].
    Described(Described),
    /// Answer to [`Request::Undo`]: whether there was a checkpoint to go back to.
    Undone(bool),
    /// The session process has left a checkpoint behind. It tells its supervisor only.
    Checkpointed(Checkpointed),
    /// The cell runs without a checkpoint, for this reason. For the supervisor only.
    Unprotected(String),
    /// The cell has run. For the supervisor only.
    Completed,
}

/// A process of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
}

/// One output in one or more representations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Displayed {
    /// MIME type and content of each.
    pub contents: Vec<(String, String)>,
    /// It is the last thing that the cell did.
    pub last: bool,
}

impl Displayed {
    /// MIME type and content of each representation.
    pub fn pairs(&self) -> impl Iterator<Item = (&String, &String)> {
        self.contents.iter().map(|(mime, content)| (mime, content))
    }
}

/// A checkpoint as its maker reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpointed {
    /// Where it listens for commands.
    pub slot: usize,
    /// Its process id.
    pub pid: u32,
}

/// What there is to know of the session's processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Process id of the session process; `None` if there is none.
    pub pid: Option<u32>,
    /// Its resident set size in bytes.
    pub resident: u64,
    /// Its threads.
    pub threads: u32,
    /// Cells whose beginning the session can go back to, oldest first.
    pub checkpoints: Vec<u64>,
    /// Resident memory in bytes that only checkpoints hold.
    pub checkpoint_memory: u64,
    /// Why the last cell ran without a checkpoint, if it did.
    pub unprotected: Option<String>,
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
    /// The cell with this number begins: an interrupt of an earlier one is forgotten.
    BeginCell(u64),
    /// What runs next leaves the session as it is: no checkpoint of it need be kept.
    Passing,
    /// What runs next is also what every later session process runs first.
    Prelude,
    /// Stop what is running.
    Interrupt,
    /// Answer with the same number once all output so far has been sent.
    Sync(u64),
    /// Describe the session.
    Describe,
    /// Go back to the beginning of the cell with this number. evcxr is going to start its child
    /// anew and finds the session that it was then.
    Undo(u64),
}
