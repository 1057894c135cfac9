//! The tables at the end of the program.

use std::path::PathBuf;
use std::sync::OnceLock;

use memit_lines::{Backend, Function, Kind, Line, Place, Profile, Stopped, memory_text};
use memit_runtime::measurement::{FunctionLines, LinesMeasurement};
use memit_runtime::program;

use crate::destination;
use crate::source::{self, Source};

/// Names the file that the tables are written to, instead of standard error.
const FILE: &str = "MEMIT_PROFILE_FILE";

/// Where the tables go to.
struct Destination {
    /// A fork has the counters of the process that it is of, which shows them itself.
    process: u32,
    file: Option<PathBuf>,
}

static DESTINATION: OnceLock<Destination> = OnceLock::new();

/// There will be something to tell at the end. The first call is before anything is counted.
pub(crate) fn expect() {
    DESTINATION.get_or_init(|| {
        program::at_exit(show);
        Destination {
            process: std::process::id(),
            file: destination::file(FILE),
        }
    });
}

extern "C" fn show() {
    let Some(destination) = DESTINATION.get() else {
        return;
    };
    if destination.process != std::process::id() {
        return;
    }
    let Some(counted) = program::counted() else {
        return;
    };
    let text = text(&counted, &source::all().collect::<Vec<_>>()) + "\n";
    let written = destination
        .file
        .as_ref()
        .map(|file| destination::write(file, &text));
    match written {
        Some(Ok(())) => {}
        Some(Err(message)) => destination::show_on_standard_error(&format!("{message}\n{text}")),
        None => destination::show_on_standard_error(&text),
    }
}

/// The tables of all functions that have been called, in the order of their first calls; those
/// with another backend apart.
fn text(counted: &LinesMeasurement, sources: &[&Source]) -> String {
    let backends = Backend::ALL.into_iter();
    let tables = backends.filter_map(|backend| of_backend(backend, counted, sources));
    tables.collect::<Vec<_>>().join("\n\n")
}

fn of_backend(backend: Backend, counted: &LinesMeasurement, sources: &[&Source]) -> Option<String> {
    let functions = counted.functions.iter();
    let shown: Vec<_> = functions
        .filter(|ran| ran.backend == backend)
        .filter_map(|ran| Some((ran, source_of(ran, sources)?)))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let running = shown.iter().filter_map(|(ran, source)| {
        let line = ran.running?;
        Some((ran.depth, line, source.name))
    });
    let stopped = running.max().map(|(_, line, name)| Stopped {
        why: format!("the program ended on line {line} of `{name}`"),
    });
    let profile = Profile {
        functions: shown
            .iter()
            .map(|(ran, source)| function(ran, source))
            .collect(),
        kind: Kind::Memory {
            backend,
            children: false,
            baseline: 0,
        },
        wall_ns: counted.wall_ns,
        isolated: counted.isolated,
        threads: counted.threads,
        threaded: counted.threaded,
        stopped,
    };
    let precisions: Vec<_> = shown.iter().map(|(_, source)| source.precision).collect();
    Some(memory_text::of_program(&profile, &precisions))
}

fn source_of<'a>(ran: &FunctionLines, sources: &[&'a Source]) -> Option<&'a Source> {
    let is_it = |source: &&&Source| {
        source.first == ran.first && source.file == ran.file && source.name.ends_with(&ran.name)
    };
    sources.iter().find(is_it).copied()
}

fn function(ran: &FunctionLines, source: &Source) -> Function {
    let lines = (source.first..)
        .zip(source.lines)
        .map(|(number, text)| Line {
            number,
            source: (*text).to_owned(),
            figures: ran.figures_at(number),
        });
    Function {
        name: source.name.to_owned(),
        place: Place::File(source.place.to_owned()),
        first: source.first,
        calls: ran.calls,
        lines: lines.collect(),
        stopped_at: ran.running,
    }
}
