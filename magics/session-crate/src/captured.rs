//! The output of a cell, as a value of the session.

/// The output that `%%capture` has kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The text on standard output.
    pub stdout: String,
    /// The text on standard error.
    pub stderr: String,
    /// Values and rich outputs as text, in order.
    pub outputs: Vec<String>,
}

impl Captured {
    /// Prints the output: first standard output, then standard error, then values and rich outputs.
    pub fn show(&self) {
        crate::print_at_once(format_args!("{}", self.stdout));
        eprint!("{}", self.stderr);
        for output in &self.outputs {
            crate::print_at_once(format_args!("{output}\n"));
        }
    }
}
