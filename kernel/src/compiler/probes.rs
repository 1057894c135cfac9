//! Probes in the functions of a cell: the kernel chooses the functions, the compiler inserts
//! probes.
//!
//! Kernel and compiler talk through files in the session's directory, because cargo runs between
//! them.

use std::fs;
use std::io;
use std::path::Path;

use memit_instrument::{Error, Function, Insertion, Runtime, Which, instrument, plain_column};
use memit_magics::cell::snippet::{self, MEASUREMENT};
use serde::{Deserialize, Serialize};

use super::CELL_FUNCTION;

/// Names the functions that get probes in the next cell.
const WANTED: &str = "wanted-probes.json";
/// Lists the probes of the cell that was compiled last.
const DONE: &str = "probes.json";

/// The module that probes call.
const RUNTIME: Runtime<'_> = Runtime {
    path: "::memit_session::lines",
};

/// The module that spans call.
const SPANS: Runtime<'_> = Runtime {
    path: "::memit_session",
};

/// The functions that get probes in the next cell.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Their names.
    pub(crate) names: Vec<String>,
    /// Whether the functions can also run without probes, if that leaves what they do unchanged.
    pub(crate) switched: bool,
}

/// The functions of a cell that have probes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probes {
    pub functions: Vec<Probed>,
    /// Whether the functions have them because of `#[profile]`.
    pub marked: bool,
    /// Why there are no probes.
    pub problem: Option<Problem>,
    /// The line, the column and the length of each insertion.
    pub(super) insertions: Vec<(usize, usize, usize)>,
}

impl Probes {
    /// The column in the source without probes of a column in the compiled source. Both count from 1.
    pub(crate) fn plain_column(&self, line: u32, column: u32) -> u32 {
        let insertions = self.insertions.iter();
        let insertions: Vec<_> = insertions
            .map(|&(line, column, length)| Insertion {
                line,
                column,
                length,
            })
            .collect();
        let [line, probed] = [line, column].map(|number| usize::try_from(number).unwrap_or(0));
        u32::try_from(plain_column(&insertions, line, probed)).unwrap_or(column)
    }
}

/// A function with probes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probed {
    pub name: String,
    /// The first line in the compiled source, counted from 1.
    pub first: u32,
    /// The lines of the function without probes.
    pub source: Vec<String>,
    /// The precision that its `#[profile]` asks for.
    pub precision: Option<usize>,
}

/// Why a cell has no probes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Problem {
    /// No function has this name; `known` are the functions of the cell.
    Unknown { name: String, known: Vec<String> },
    /// A macro makes the function.
    Made { name: String, by: String },
    /// The function is `const`.
    Const { name: String },
    /// A `#[profile]` has a wrong option.
    Option { message: String, text: String },
    /// The source does not compile with probes.
    Compile { message: String },
}

/// Asks for probes in the next cell.
pub(crate) fn want(session: &Path, wanted: &Wanted) -> io::Result<()> {
    fs::write(session.join(WANTED), serde_json::to_vec(wanted)?)
}

/// Takes the probes of the cell that was compiled last, and withdraws the wish for probes.
pub(crate) fn take(session: &Path) -> Probes {
    let _ = fs::remove_file(session.join(WANTED));
    let probes = of_running(session);
    let _ = fs::remove_file(session.join(DONE));
    probes
}

/// The probes of the running cell.
pub(crate) fn of_running(session: &Path) -> Probes {
    let probes = fs::read(session.join(DONE)).ok();
    probes
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default()
}

/// Writes the probes for [`take`].
pub(super) fn tell(session: &Path, probes: &Probes) -> io::Result<()> {
    fs::write(session.join(DONE), serde_json::to_vec(probes)?)
}

/// The sources to compile for a cell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sources {
    /// With probes; `None` if no function gets probes.
    pub(super) probed: Option<String>,
    /// Whether a function in [`Self::probed`] can also run without probes.
    pub(super) has_switched: bool,
    /// Without probes; `None` if the source is unchanged.
    pub(super) plain: Option<String>,
    pub(super) probes: Probes,
}

/// Inserts the probes that the kernel or a `#[profile]` asks for. `to_be_run` says that the cell is
/// not only checked, `may_switch` that functions may be made to run without probes, too.
pub(super) fn put(session: &Path, source: &str, to_be_run: bool, may_switch: bool) -> Sources {
    let mut sources = Sources {
        probed: None,
        has_switched: false,
        plain: None,
        probes: Probes::default(),
    };
    let wanted: Option<Wanted> = fs::read(session.join(WANTED))
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    let has_marks = source.contains("profile");
    // Functions of earlier cells may contain measurements, too.
    let statements = source.rfind(CELL_FUNCTION).map_or("", |at| &source[at..]);
    let is_measurement = statements.contains(MEASUREMENT);
    let wanted = wanted.filter(|_| to_be_run && is_measurement);
    if wanted.is_none() && !has_marks {
        return sources;
    }
    let names = wanted.iter().flat_map(|wanted| &wanted.names);
    let names: Vec<&str> = names.map(String::as_str).collect();
    let has_spans = to_be_run && wanted.is_none() && snippet::has_phases(statements);
    let which = match &wanted {
        _ if has_spans => Which::Spans { name: users_name },
        Some(wanted) if wanted.switched && may_switch => Which::Switched(&names),
        Some(_) => Which::Named(&names),
        // Probes would disturb a measurement of another kind.
        None if !to_be_run || is_measurement => Which::Nothing,
        None => Which::Marked,
    };
    let runtime = if has_spans { SPANS } else { RUNTIME };
    match instrument(source, which, runtime) {
        Ok(instrumented) => {
            let insertions = instrumented.insertions.iter();
            sources.probes.insertions = insertions
                .map(|one| (one.line, one.column, one.length))
                .collect();
            sources.probes.marked = matches!(which, Which::Marked);
            let is_probed = instrumented.source != instrumented.plain;
            sources.probed = is_probed.then_some(instrumented.source);
            sources.plain = has_marks.then_some(instrumented.plain);
            let lines: Vec<_> = source.lines().collect();
            let functions = instrumented.functions.iter();
            sources.has_switched = functions.clone().any(|function| function.switched);
            sources.probes.functions = functions.map(|function| probed(function, &lines)).collect();
        }
        // Leave unparsable code as it is: the compiler's error is better than ours.
        Err(error) => sources.probes.problem = problem(error, source),
    }
    sources
}

fn probed(function: &Function, lines: &[&str]) -> Probed {
    let source = lines.get(function.first - 1..function.last);
    Probed {
        name: users_name(&function.name).to_owned(),
        first: u32::try_from(function.first).unwrap_or(0),
        source: source
            .unwrap_or_default()
            .iter()
            .map(|line| (*line).to_owned())
            .collect(),
        precision: function.options.precision,
    }
}

/// The name without evcxr's function for the statements of a cell.
fn users_name(name: &str) -> &str {
    match name.split_once("::") {
        Some((first, rest)) if first.starts_with(CELL_FUNCTION) => rest,
        _ => name,
    }
}

fn problem(error: Error, source: &str) -> Option<Problem> {
    match error {
        Error::Syntax { .. } => None,
        Error::Unknown {
            name,
            made_by: Some(by),
            ..
        } => Some(Problem::Made { name, by }),
        Error::Unknown { name, known, .. } => {
            let is_users = |name: &&String| {
                let lower = name.to_lowercase();
                !lower.starts_with("evcxr") && !name.starts_with(CELL_FUNCTION)
            };
            let known = known.iter().map(|name| users_name(name).to_owned());
            let known = known.collect::<Vec<_>>();
            let known = known.iter().filter(is_users).cloned().collect();
            Some(Problem::Unknown { name, known })
        }
        Error::Const { name } => Some(Problem::Const { name }),
        Error::Option { message, line } => {
            let text = source.lines().nth(line.saturating_sub(1));
            Some(Problem::Option {
                message,
                text: text.unwrap_or_default().to_owned(),
            })
        }
    }
}
