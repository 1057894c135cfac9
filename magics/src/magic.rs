//! The interface of a magic: its description, its calls, and the measurements it asks for.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use memit_lines::SourceFunction;
use memit_measurement::{Measured, Remark, TimelineMeasurement};

use crate::cell::numbers::Numbers;
use crate::cell::options::{OptionSpec, Options};
use crate::cell::snippet::{Generated, Scope, Snippet};
use crate::chart::Chart;
use crate::error::MagicError;
use crate::report::{Preview, Report, remarks};
use crate::result::{CostsOrder, RustValue};

/// The ways to write a magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `%name …`: one line.
    Line,
    /// `%%name …`: the whole cell.
    Cell,
    /// Both ways.
    Both,
}

/// What stands behind the options of a magic and below the line of a cell magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Rust.
    Rust,
    /// Text that is no Rust.
    Text,
    /// Text, and a cell below.
    Cell,
}

/// One magic: a unit struct in a file of its own, listed in [`crate::registry`].
pub trait Magic: Sync {
    /// The name, without `%`.
    fn name(&self) -> &'static str;
    /// Whether it is a line magic, a cell magic, or both.
    fn form(&self) -> Form;
    /// What stands behind its options and below its line.
    fn content(&self) -> Content {
        Content::Rust
    }
    /// A description in one line.
    fn summary(&self) -> &'static str;
    /// The text behind the options on the first line of a cell magic, as shown in help.
    fn first_line(&self) -> &'static str {
        "[SETUP]"
    }
    /// The argument behind the options, as shown in help: `STATEMENTS`. Empty if the magic takes
    /// none.
    fn argument(&self) -> &'static str {
        ""
    }
    /// The rest of the help: what the magic measures, and examples.
    fn details(&self) -> &'static str;
    /// The options.
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }
    /// The action that a call asks for.
    ///
    /// # Errors
    ///
    /// If the statement or the value of an option is missing or wrong.
    fn resolve(&self, call: &Call) -> Result<Action, MagicError>;
}

/// A magic as the user typed it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The bytes of the name in the cell.
    pub name: Range<usize>,
    /// Whether the user wrote `%%name`.
    pub cell: bool,
    /// The options.
    pub options: Options,
    /// The variable in `let variable = %name …`, and its bytes in the cell.
    pub variable: Option<(String, Range<usize>)>,
    /// The rest of the line behind the options: the statements, or the set-up of a cell magic.
    pub argument: Snippet,
    /// The lines below a cell magic.
    pub body: Option<Snippet>,
}

impl Call {
    /// The text behind the options, without blanks around it.
    pub(crate) fn text(&self) -> &str {
        self.argument.text().trim()
    }

    /// The bytes of [`Self::text`] in the cell.
    pub(crate) fn text_range(&self) -> Range<usize> {
        let text = self.argument.text();
        let start = self.argument.range().start + text.len() - text.trim_start().len();
        start..start + text.trim().len()
    }

    /// Refuses text behind the options on behalf of the cell magic `name`, whose `text` stands below.
    pub(crate) fn expect_only_body(&self, name: &str, text: &str) -> Result<(), MagicError> {
        if self.text().is_empty() {
            return Ok(());
        }
        let message = format!("`%%{name}` takes no argument");
        let error = MagicError::new(message, self.text_range());
        Err(error.with_help(format!("the {text} stands in the lines below")))
    }

    /// The text of the lines below a cell magic. Each line has an end.
    pub(crate) fn body_text(&self) -> String {
        let mut text = self
            .body
            .as_ref()
            .map(|body| body.text().to_owned())
            .unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }

    /// Refuses an argument on behalf of the magic `name`, which takes none.
    pub(crate) fn expect_no_argument(&self, name: &str) -> Result<(), MagicError> {
        if self.argument.is_blank() {
            return Ok(());
        }
        let message = format!("`%{name}` takes no argument");
        Err(MagicError::new(message, self.argument.range()))
    }
}

/// The effect of a call.
pub enum Action {
    /// Shows a text.
    Show(String),
    /// Compiles a snippet, runs it, and reports the measurement.
    Measure(Box<dyn Measurement>),
    /// Evaluates Rust of the magic's own in the session.
    Evaluate {
        /// The Rust, whose value is shown.
        source: String,
        /// The bytes of the cell that an error is about.
        range: Range<usize>,
    },
    /// Runs a cell with tests, which fails with a report if a test fails.
    Test(Generated),
    /// Writes a text to a file.
    Write {
        /// The path, as the user typed it.
        file: String,
        /// The bytes of the path in the cell.
        range: Range<usize>,
        /// The text.
        text: String,
        /// Whether the text goes behind what is in the file.
        appends: bool,
    },
    /// Shows a text as this MIME type.
    Display {
        /// The MIME type.
        mime: &'static str,
        /// The text.
        text: String,
    },
    /// Runs a cell and keeps its output.
    Capture(Capture),
    /// Shows earlier cells.
    ShowHistory {
        /// Which cells.
        cells: Numbers,
        /// Whether to show their numbers.
        numbered: bool,
    },
    /// Runs earlier cells again.
    Rerun {
        /// Which cells.
        cells: Numbers,
        /// The bytes of the cell that name them.
        range: Range<usize>,
    },
    /// Replaces the cell by the text of a file.
    Load {
        /// The path, as the user typed it.
        file: String,
        /// The bytes of the path in the cell.
        range: Range<usize>,
    },
    /// Runs the cells in a file.
    Run {
        /// The path, as the user typed it.
        file: String,
        /// The bytes of the path in the cell.
        range: Range<usize>,
    },
    /// Shows the working directory of the session.
    ShowDirectory,
    /// Describes the session.
    DescribeSession,
    /// Takes the session back to before its last cell.
    Undo,
    /// Lists the names of the variables.
    Who {
        /// The types of the variables to list; empty for all.
        types: Vec<String>,
    },
    /// Deletes a variable or an item.
    Delete {
        /// Its name.
        name: String,
        /// The bytes of the name in the cell.
        range: Range<usize>,
    },
    /// Describes the cache of compiled dependencies.
    Cache {
        /// Whether to clear the cache.
        clears: bool,
    },
    /// Shows what cells have cost.
    Costs(Costs),
    /// Forgets all variables, items and dependencies.
    Reset {
        /// Whether to ask the user first.
        asks: bool,
    },
}

/// What `%costs` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Costs {
    /// Shows a table of all cells.
    Table(CostsOrder),
    /// Shows a line below each cell from now on, or no longer.
    Show(bool),
}

/// A cell whose output is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The variable that the output is bound to; `None` drops the output.
    pub variable: Option<String>,
    /// The bytes of the cell within the cell that contains the magic.
    pub body: Range<usize>,
    /// Whether standard output is kept. What is not kept is shown.
    pub stdout: bool,
    /// Whether standard error is kept.
    pub stderr: bool,
    /// Whether values and rich outputs are kept.
    pub display: bool,
}

/// A measurement that a call asks for.
pub trait Measurement: Send + Sync {
    /// The Rust that measures, given the current session.
    ///
    /// # Errors
    ///
    /// If the snippet cannot compile and the compiler's own error would be less clear.
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError>;

    /// The Rust that times the statements without probes, if the measured data must be compared with
    /// such a run.
    fn plain_code(&self, _measured: &Measured, _scope: &Scope) -> Option<Generated> {
        None
    }

    /// The functions to measure line by line.
    fn functions(&self) -> &[Named] {
        &[]
    }

    /// Whether [`Self::code`] runs as an ordinary cell, which keeps its variables and has a value.
    fn is_kept(&self) -> bool {
        false
    }

    /// Draws the unfinished measurement while the snippet runs; `None` if this magic has no
    /// preview.
    fn preview(&self) -> Option<Draw> {
        None
    }

    /// Turns the measured data into an answer; `None` if it is data of another kind of measurement.
    fn answer(&self, measured: Measured, compiled: &Compiled) -> Option<Answer>;

    /// Where to deliver the answer.
    fn delivery(&self) -> &Delivery;

    /// Advice for a compile error with this code (`E0507`), if the error is due to the way in which
    /// the magic runs the snippet.
    fn explain(&self, error_code: &str, scope: &Scope) -> Option<String>;
}

/// Draws an unfinished measurement.
pub type Draw = Arc<dyn Fn(TimelineMeasurement) -> Preview + Send + Sync>;

/// A variable of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionVariable {
    /// The name.
    pub name: String,
    /// The type, as people write it.
    pub of: String,
    /// The type, as a cell can write it.
    pub written: String,
    /// The number that front-ends show for the cell that has made the variable.
    pub cell: u64,
}

/// Facts from the compilation of a measurement.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// How long compiling took.
    pub time: Duration,
    /// The functions that [`Measurement::functions`] names.
    pub functions: Vec<SourceFunction>,
    /// How long [`Measurement::plain_code`] took in nanoseconds, if it ran.
    pub plain_ns: Option<u64>,
    /// The variables of the session, in the order of [`Scope::session`].
    pub variables: Vec<SessionVariable>,
}

/// A function as the user named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where the option stands in the cell.
    pub span: Range<usize>,
}

/// A result in every form of [`Delivery`].
#[derive(Debug, Clone)]
pub struct Answer {
    /// The views to show.
    pub report: Report,
    /// The result as a Rust value.
    pub value: RustValue,
    /// Why the run stopped early; the answer then covers the part that ran.
    pub stopped: Option<String>,
    /// The content for [`Delivery::export`].
    pub export: Option<Export>,
}

impl Answer {
    /// The same answer with remarks about the run, in all views and in the value.
    #[must_use]
    pub fn with_remarks(self, remarks: &[Remark]) -> Self {
        self.with_notes(remarks.iter().map(remarks::text))
    }

    /// The same answer with notes below the figures, in all views and in the value.
    #[must_use]
    pub(crate) fn with_notes(self, notes: impl IntoIterator<Item = String>) -> Self {
        let notes: Vec<String> = notes.into_iter().collect();
        Self {
            value: self.value.with_remarks(&notes),
            report: self.report.with_notes(&notes),
            ..self
        }
    }
}

/// A result over time in the forms that a file can have.
#[derive(Debug, Clone)]
pub struct Export {
    /// For a picture; `None` if there is nothing to draw.
    pub chart: Option<Chart>,
    /// The samples in the format of `mprof`.
    pub profile: String,
}

/// Where to deliver an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// `-q`: do not show it.
    pub quiet: bool,
    /// `-o`: make it the value of the cell.
    pub returned: bool,
    /// `-v NAME`: bind it to this variable.
    pub variable: Option<String>,
    /// `-T FILE`: write its text to this file.
    pub file: Option<String>,
    /// `-o FILE`: write it to this file; the extension chooses the form.
    pub export: Option<String>,
}
