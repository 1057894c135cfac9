//! Messages between the kernel and the processes of a session.

use serde::{Deserialize, Serialize};

use crate::{
    LinesMeasurement, Measured, Panic, Placed, QuestionMark, Remark, RunCost, TimelineMeasurement,
};

/// Stands for a colon in the prompt of a question to the user, because evcxr cuts the prompt off at
/// its first colon.
pub const COLON: u8 = 0x1f;

/// Pseudo MIME type of the value of a cell in plain text: an output of its own, also next to a
/// picture that the cell displays.
pub const VALUE: &str = "text/plain;memit-value";

/// Pseudo MIME type that clears the cell's output: at once, or, with [`WAIT`], when the next output
/// arrives.
pub const CLEAR_OUTPUT: &str = "application/vnd.memit.clear-output";

/// Pseudo MIME type of the result of a magic in a block, a [`Placed`]. On standard output, the result keeps its
/// place between the lines that the cell prints.
pub const PLACED: &str = "application/vnd.memit.placed";

/// The content of a [`CLEAR_OUTPUT`] that waits for the next output.
pub const WAIT: &str = "wait";

/// From the session's side to the kernel.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A session process has started, without variables.
    Started(Process),
    /// A session process could not be started, for this reason.
    NotStarted(String),
    /// The session continues from a checkpoint, in this process.
    Restored(Process),
    /// Bytes that user code wrote to standard output.
    Stdout(Vec<u8>),
    /// Bytes that user code wrote to standard error.
    Stderr(Vec<u8>),
    /// User code displayed something rich.
    Displayed(Displayed),
    /// The cell clears its output: at once, or, if true, when the next output arrives.
    ClearOutput(bool),
    /// The cell panicked and nothing in it caught the panic.
    Panicked(Panic),
    /// A `?` met an error and ended the cell.
    Failed(QuestionMark),
    /// What the figures of the measurement that follows do not show.
    Remarked(Vec<Remark>),
    /// A magic has measured its snippet.
    Measured(Measured),
    /// A magic in a block has measured its snippet.
    Placed(Placed),
    /// A magic has measured the cell that contains the magic.
    Kept(Measured),
    /// The state of a measurement over time that is under way.
    Progress(TimelineMeasurement),
    /// The counts of functions with `#[profile]` in a cell without a measurement.
    Counted(LinesMeasurement),
    /// What a run of code to its end has cost.
    Ran(RunCost),
    /// The session process has ended by itself, or was interrupted.
    Ended(Ended),
    /// Answer to [`Request::Sync`].
    Synced(u64),
    /// Answer to [`Request::Describe`].
    Described(Described),
    /// Answer to [`Request::Undo`]: whether there was a checkpoint to go back to.
    Undone(bool),
    /// The session process has left a checkpoint behind. For the supervisor only.
    Checkpointed(Checkpointed),
    /// The cell runs without a checkpoint, for this reason. For the supervisor only.
    Unprotected(String),
    /// The panic that the session process has reported last ends the cell. For the supervisor only.
    Uncaught,
    /// The variable of this name is missing or has another type than the cell expects.
    VariableLost(String),
    /// rustc's name of the type of a variable.
    VariableNamed {
        /// The name of the variable.
        name: String,
        /// The name of its type.
        of: String,
    },
    /// The destructor of the variable of this name has panicked when the variable was given up.
    VariableLeaked(String),
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
    /// MIME type and content of each representation.
    pub contents: Vec<(String, String)>,
    /// Whether this is the last thing that the cell did.
    pub last: bool,
}

impl Displayed {
    /// MIME type and content of each representation.
    pub fn pairs(&self) -> impl Iterator<Item = (&String, &String)> {
        self.contents.iter().map(|(mime, content)| (mime, content))
    }
}

/// A checkpoint, as the process that made it reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpointed {
    /// The slot in which the checkpoint listens for commands.
    pub slot: usize,
    /// Its process id.
    pub pid: u32,
}

/// A description of the session's processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Process id of the session process; `None` if there is none.
    pub pid: Option<u32>,
    /// Resident set size of the session process in bytes.
    pub resident: u64,
    /// Threads of the session process.
    pub threads: u32,
    /// Cells to whose start the session can go back, oldest first.
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
    /// The process called `exit` with this code.
    Exit(i32),
    /// This signal ended the process.
    Signal(i32),
    /// The user interrupted the process.
    Interrupted,
    /// The supervisor gave the process up, because of an error that it has told the user.
    Trouble,
}

/// From the kernel to the session's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Begin the cell with this number, and discard interrupts meant for earlier cells.
    BeginCell(u64),
    /// Keep no checkpoint of the next code, which leaves the session unchanged.
    Passing,
    /// The next code is the prelude: every later session process runs it first.
    Prelude,
    /// Nobody types: standard input of the cells is at its end.
    CloseInput,
    /// Stop what is running.
    Interrupt,
    /// Answer with the same number once all output so far has been sent.
    Sync(u64),
    /// Describe the session.
    Describe,
    /// Go back to the start of the cell with this number. evcxr will restart its child and find the
    /// session in the state of that moment.
    Undo(u64),
    /// Forget the session when evcxr restarts its child.
    Clear,
}
