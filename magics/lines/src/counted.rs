//! The counters of profiled functions, by the lines that were compiled.

use crate::Backend;
use crate::function::Figures;

/// A function that ran, and its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FunctionLines {
    /// The name that the instrumenter compiled into the counters.
    pub name: String,
    /// The source file as the compiler knows it (`file!()`).
    pub file: String,
    /// First line of the function in that file, from 1.
    pub first: u32,
    /// Which memory the lines are charged with.
    pub backend: Backend,
    /// How often the function was called.
    pub calls: u64,
    /// Call depth among profiled functions at the last call. The running function with the greatest
    /// depth is the innermost.
    pub depth: u64,
    /// The line that was running when the run ended; `None` if none was.
    pub running: Option<u32>,
    /// Lines with figures, in no order.
    pub lines: Vec<LineFigures>,
}

impl FunctionLines {
    /// The figures of a line of the file; `None` if nothing of its own runs there.
    pub fn figures_at(&self, line: u32) -> Option<Figures> {
        let counted = self.lines.iter().find(|counted| counted.line == line)?;
        let mut figures = counted.figures;
        if counted.ends {
            // Passing the end of a block is no execution of a line.
            figures.hits = 0;
        }
        Some(figures)
    }
}

/// The figures of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LineFigures {
    /// Number of the line in the file, from 1.
    pub line: u32,
    /// Whether the line holds nothing but the end of a block.
    pub ends: bool,
    /// What was counted.
    pub figures: Figures,
}
