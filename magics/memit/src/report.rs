//! The tables at the end of the program.

use std::path::PathBuf;
use std::sync::OnceLock;

use memit_lines::{
    Backend, Kind, Place, Profile, RunningLine, SourceFunction, Stopped, innermost_line,
    memory_text,
};
use memit_measure::program;
use memit_measurement::LinesMeasurement;

use crate::destination;
use crate::source::{self, Source};

/// Names the file that the tables are written to, instead of standard error.
const FILE: &str = "MEMIT_PROFILE_FILE";

/// Where the tables go.
struct Destination {
    /// The process that shows the tables. A fork has a copy of the counters and must not show them
    /// again.
    process: u32,
    file: Option<PathBuf>,
}

static DESTINATION: OnceLock<Destination> = OnceLock::new();

/// Makes sure that the tables are shown at the end of the program. Must be called before anything is
/// counted, because the first call allocates.
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
    let sources: Vec<_> = source::all().map(Shown::from).collect();
    let text = text(&counted, &sources) + "\n";
    let file = destination.file.as_ref();
    match file.map(|file| destination::write(file, &text)) {
        Some(Ok(())) => {}
        Some(Err(message)) => destination::show_on_standard_error(&format!("{message}\n{text}")),
        None => destination::show_on_standard_error(&text),
    }
}

/// A function that can be shown.
struct Shown {
    function: SourceFunction,
    precision: Option<usize>,
}

impl From<&Source> for Shown {
    fn from(source: &Source) -> Self {
        Self {
            function: SourceFunction {
                name: source.name.to_owned(),
                file: Some(source.file.to_owned()),
                compiled: source.first,
                place: Place::File(source.place.to_owned()),
                first: source.first,
                source: source.lines.iter().map(ToString::to_string).collect(),
            },
            precision: source.precision,
        }
    }
}

/// The tables of all functions that were called, in the order of the first calls, grouped by
/// backend.
fn text(counted: &LinesMeasurement, sources: &[Shown]) -> String {
    let backends = Backend::ALL.into_iter();
    let tables = backends.filter_map(|backend| of_backend(backend, counted, sources));
    tables.collect::<Vec<_>>().join("\n\n")
}

fn of_backend(backend: Backend, counted: &LinesMeasurement, sources: &[Shown]) -> Option<String> {
    let of_backend = counted
        .functions
        .iter()
        .filter(|ran| ran.backend == backend);
    let shown: Vec<_> = of_backend
        .filter_map(|counters| {
            let source = sources
                .iter()
                .find(|source| source.function.owns(counters))?;
            Some((source, counters))
        })
        .collect();
    if shown.is_empty() {
        return None;
    }
    let running = shown
        .iter()
        .map(|(source, counters)| (&source.function, *counters));
    let stopped = innermost_line(running).map(|RunningLine { function, line }| Stopped {
        why: format!("the program ended on line {line} of `{function}`"),
    });
    let functions = shown
        .iter()
        .map(|(source, counters)| source.function.with_figures(Some(counters)));
    let profile = Profile {
        functions: functions.collect(),
        kind: Kind::Memory {
            backend,
            children: false,
            baseline: 0,
        },
        wall_ns: counted.wall_ns,
        isolated: counted.isolated,
        threads: counted.threads,
        threaded: counted.threaded,
        outlasting: 0,
        stopped,
    };
    let precisions: Vec<_> = shown.iter().map(|(source, _)| source.precision).collect();
    Some(memory_text::of_program(&profile, &precisions))
}
