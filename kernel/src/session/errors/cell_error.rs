//! How a cell fails.

/// The error of a cell, in the three parts that Jupyter shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellError {
    /// What kind of error: `CompileError`, `Panic`, `KeyboardInterrupt`, …
    pub ename: String,
    /// What happened, in one line where possible.
    pub evalue: String,
    /// What to print: message, source excerpt, help. May hold ANSI colours.
    pub traceback: Vec<String>,
}

impl CellError {
    /// An error whose message says it all.
    pub(crate) fn new(ename: &str, evalue: impl Into<String>) -> Self {
        let evalue = evalue.into();
        Self {
            ename: ename.to_owned(),
            traceback: vec![format!("{ename}: {evalue}")],
            evalue,
        }
    }

    /// A failure of memit itself, with advice on what to do about it.
    pub(crate) fn internal(ename: &str, evalue: String, advice: &str) -> Self {
        Self {
            ename: ename.to_owned(),
            traceback: vec![evalue.clone(), advice.to_owned()],
            evalue,
        }
    }

    /// The same error with one more line.
    #[must_use]
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.traceback.push(note.into());
        self
    }

    /// The name of the error of an interrupted cell, which front-ends know.
    pub(crate) const INTERRUPTED: &str = "KeyboardInterrupt";

    /// The user interrupted the cell.
    pub(crate) fn interrupted() -> Self {
        Self::new(Self::INTERRUPTED, "the cell was interrupted")
    }
}

impl std::fmt::Display for CellError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.ename, self.evalue)
    }
}

impl std::error::Error for CellError {}
