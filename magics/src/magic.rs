//! What a magic is.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use memit_lines::Place;
use memit_measurement::{Measured, TimelineMeasurement};

use crate::cell::options::{OptionSpec, Options};
use crate::cell::snippet::{Generated, Scope, Snippet};
use crate::chart::Chart;
use crate::error::MagicError;
use crate::report::{Preview, Report};
use crate::result::rust_value::RustValue;

/// How a magic may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `%name …`: one line.
    Line,
    /// `%%name …`: the whole cell.
    Cell,
    /// Either.
    Both,
}

/// One magic. A unit struct in a file of its own implements this; [`crate::registry`] lists them.
pub trait Magic: Sync {
    /// Its name, without `%`.
    fn name(&self) -> &'static str;
    /// How it may be written.
    fn form(&self) -> Form;
    /// What it does, in one line.
    fn summary(&self) -> &'static str;
    /// What follows the options of a cell magic on its first line, as help writes it.
    fn first_line(&self) -> &'static str {
        "[SETUP]"
    }
    /// What follows the options, as help writes it: `STATEMENTS`; empty if nothing does.
    fn argument(&self) -> &'static str {
        ""
    }
    /// The rest of its help: what is measured, and examples.
    fn details(&self) -> &'static str;
    /// Its options; none unless it says so.
    fn options(&self) -> &'static [OptionSpec] {
        &[]
    }
    /// What a call comes to.
    ///
    /// # Errors
    ///
    /// If a value of an option or the statement is missing or wrong.
    fn resolve(&self, call: &Call) -> Result<Action, MagicError>;
}

/// A magic as it was typed.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whether it was written `%%name`.
    pub cell: bool,
    /// Its options.
    pub options: Options,
    /// What follows the options on its line: the statements, or for a cell magic the setup.
    pub argument: Snippet,
    /// The lines below, for a cell magic.
    pub body: Option<Snippet>,
}

impl Call {
    /// Refuses an argument, for the magic `name` takes none.
    pub(crate) fn expect_no_argument(&self, name: &str) -> Result<(), MagicError> {
        if self.argument.is_blank() {
            return Ok(());
        }
        let message = format!("`%{name}` takes no argument");
        Err(MagicError::new(message, self.argument.range()))
    }
}

/// What is to be done for a call.
pub enum Action {
    /// Show a text.
    Show(String),
    /// Compile something, run it, and report what was measured.
    Measure(Box<dyn Measurement>),
    /// Show what the session is and holds.
    DescribeSession,
    /// Take the session back to before its last cell.
    Undo,
}

/// A measurement that a call asks for.
pub trait Measurement {
    /// The Rust that measures, for the session as it is.
    ///
    /// # Errors
    ///
    /// If the snippet cannot be compiled for a reason that the compiler would tell less clearly.
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError>;

    /// Functions whose lines are measured.
    fn functions(&self) -> &[Named] {
        &[]
    }

    /// Whether [`Self::code`] is an ordinary cell: its variables stay, and its value is the cell's.
    fn is_kept(&self) -> bool {
        false
    }

    /// What draws the answer as far as it has come, if it can be seen coming.
    fn preview(&self) -> Option<Draw> {
        None
    }

    /// The answer to what was measured; `None` if that is not what this measurement asked for.
    fn answer(&self, measured: Measured, compiled: &Compiled) -> Option<Answer>;

    /// Where the answer goes.
    fn delivery(&self) -> &Delivery;

    /// What to tell the user about a compile error with this code (`E0507`), if the magic's way
    /// of running the snippet explains it.
    fn explain(&self, error_code: &str, scope: &Scope) -> Option<String>;
}

/// Draws what there is so far of a measurement.
pub type Draw = Arc<dyn Fn(TimelineMeasurement) -> Preview + Send + Sync>;

/// What is known of compiling a measurement.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// What it took.
    pub time: Duration,
    /// The functions that [`Measurement::functions`] names.
    pub functions: Vec<SourceFunction>,
}

/// A function as the user named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where the option stands in the cell.
    pub span: Range<usize>,
}

/// A function as the compiler was given it, and where the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFunction {
    /// Its name.
    pub name: String,
    /// Its first line in what was compiled, by which its counters know it.
    pub compiled: u32,
    /// Where it was written.
    pub place: Place,
    /// Its first line there.
    pub first: u32,
    /// Its lines.
    pub source: Vec<String>,
}

/// A result in all the forms in which it can be delivered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What is shown.
    pub report: Report,
    /// The result as a Rust value.
    pub value: RustValue,
    /// Why the run did not come to its end, if the answer is what there was until then.
    pub stopped: Option<String>,
    /// What [`Delivery::export`] asks for.
    pub export: Option<Export>,
}

/// A result over time as it is written to a file.
#[derive(Debug, Clone)]
pub struct Export {
    /// If it shall be a picture; `None` if there is nothing to draw.
    pub chart: Option<Chart>,
    /// If it shall be the samples: in the format of `mprof`.
    pub profile: Vec<u8>,
}

/// Where an answer goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// `-q`: it is not shown.
    pub quiet: bool,
    /// `-o`: it is the value of the cell.
    pub returned: bool,
    /// `-v NAME`: it is bound to this variable.
    pub variable: Option<String>,
    /// `-T FILE`: its text is written to this file.
    pub file: Option<String>,
    /// `-o FILE`: it is written to this file, as the file's name says.
    pub export: Option<String>,
}
