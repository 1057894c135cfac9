//! The error of a cell.

/// The error of a cell, in the three parts that Jupyter shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellError {
    /// The kind of error: `CompileError`, `Panic`, `KeyboardInterrupt`, …
    pub ename: String,
    /// The message, in one line where possible.
    pub evalue: String,
    /// The lines to print: message, source excerpt, help. May contain ANSI colours.
    pub traceback: Vec<String>,
}

impl CellError {
    /// Creates an error that prints only its kind and its message.
    pub(crate) fn new(ename: &str, evalue: impl Into<String>) -> Self {
        let evalue = evalue.into();
        Self {
            ename: ename.to_owned(),
            traceback: vec![format!("{ename}: {evalue}")],
            evalue,
        }
    }

    /// Creates an error of memit itself, with advice on what to do.
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

    /// The kind of an interrupted cell, for which front-ends know this name.
    pub(crate) const INTERRUPTED: &str = "KeyboardInterrupt";

    /// The error of an interrupted cell.
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
