//! Functions with probes: finds them in the cells, and reports the functions with `#[profile]`.

use memit_instrument::made_by_macro;
use memit_lines::{Backend, Kind, Place, SourceFunction};
use memit_magics::line_magic;
use memit_magics::report::Report;
use memit_magics::result::MprunResult;
use memit_measurement::{FunctionLines, LinesMeasurement};

use crate::compiler::probes::{Probed, Problem};
use crate::session::engine::Engine;
use crate::session::errors::CellError;
use crate::session::io::{Output, Stream, bundle};

/// The cells so far, oldest first, and the numbers that front-ends show for them.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) cells: &'a [String],
    pub(crate) numbers: &'a [u64],
}

impl Written<'_> {
    /// Finds a compiled function in the newest cell that contains it.
    pub(crate) fn find(self, function: &Probed) -> SourceFunction {
        let cells = self.cells.iter().zip(self.numbers).rev();
        let found = cells.filter_map(|(cell, number)| {
            let line = line_of(&function.source, cell)?;
            Some((line, usize::try_from(*number).ok()?))
        });
        let (first, place) = match found.into_iter().next() {
            Some((line, number)) => (line, Place::Cell { number }),
            None => (1, Place::Unknown),
        };
        SourceFunction {
            name: function.name.clone(),
            // The compiler of cells has one file.
            file: None,
            compiled: function.first,
            place,
            first,
            source: function.source.clone(),
        }
    }
}

/// The line of `cell`, counted from 1, on which `source` starts. The first and the last line of
/// `source` may share their lines with other code.
fn line_of(source: &[String], cell: &str) -> Option<u32> {
    let lines: Vec<&str> = cell.lines().collect();
    let last = source.len().checked_sub(1)?;
    let is_here = |here: &[&str]| {
        here.iter()
            .zip(source)
            .enumerate()
            .all(|(at, (line, source))| match at {
                _ if line == source => true,
                _ if at == 0 && at == last => line.contains(source.trim()),
                0 => line.ends_with(source.trim_start()),
                _ if at == last => line.starts_with(source.trim_end()),
                _ => false,
            })
    };
    let at = lines.windows(source.len()).position(is_here)?;
    u32::try_from(at + 1).ok()
}

/// The reports of a cell's functions with `#[profile]`.
#[derive(Default)]
pub(crate) struct Marked {
    reports: Vec<Report>,
    /// Why there are no reports.
    note: Option<String>,
}

impl Marked {
    pub(crate) fn show(&self, output: &dyn Output) {
        if let Some(note) = &self.note {
            output.stream(Stream::Stderr, note);
        }
        for report in &self.reports {
            output.display(bundle::of_report(report, &report.text, true));
        }
    }
}

/// Reports the functions with `#[profile]` that the last cell has called. `has_run` says that the
/// cell ran to its end.
///
/// # Errors
///
/// If a `#[profile]` has a wrong option.
pub(crate) fn of_marked(
    engine: &mut Engine,
    written: Written<'_>,
    has_run: bool,
) -> Result<Marked, CellError> {
    let probes = engine.take_probes();
    let counted = engine.take_counted();
    if let Some(problem) = probes.problem {
        return match problem {
            // The cell does not compile without probes either, and that error is reported.
            Problem::Compile { .. } if !has_run => Ok(Marked::default()),
            Problem::Compile { .. } => Ok(Marked {
                reports: Vec::new(),
                note: Some(format!("#[profile]: {}\n", explained(&problem))),
            }),
            problem => Err(CellError::new("ProfileError", explained(&problem))),
        };
    }
    // A magic in a block reports the functions that it names.
    let Some(counted) = counted.filter(|_| probes.marked) else {
        return Ok(Marked::default());
    };
    let mut reports: Vec<(Option<usize>, Backend, Vec<SourceFunction>)> = Vec::new();
    for function in &probes.functions {
        let is_same = |ran: &&FunctionLines| ran.first == function.first;
        let Some(ran) = counted.functions.iter().find(is_same) else {
            continue;
        };
        let source = written.find(function);
        match reports.iter_mut().find(|(precision, backend, _)| {
            (*precision, *backend) == (function.precision, ran.backend)
        }) {
            Some((_, _, functions)) => functions.push(source),
            None => reports.push((function.precision, ran.backend, vec![source])),
        }
    }
    let reports = reports.into_iter().map(|(precision, backend, functions)| {
        let measured = LinesMeasurement {
            kind: Kind::Memory {
                backend,
                children: false,
                baseline: 0,
            },
            ..counted.clone()
        };
        let profile = line_magic::profile(&measured, &functions);
        Report::of(&MprunResult { profile }, precision)
    });
    Ok(Marked {
        reports: reports.collect(),
        note: None,
    })
}

/// Explains a problem to the user.
pub(crate) fn explained(problem: &Problem) -> String {
    match problem {
        Problem::Unknown { name, known } if known.is_empty() => {
            format!("there is no function `{name}`: no cell has defined any")
        }
        Problem::Unknown { name, known } => {
            format!(
                "there is no function `{name}`; there is `{}`",
                known.join("`, `")
            )
        }
        Problem::Made { name, by } => made_by_macro(name, by),
        Problem::Const { name } => format!(
            "`{name}` is a `const fn`, which cannot be profiled because the compiler may run it"
        ),
        Problem::Option { message, text } => format!("{message}: `{}`", text.trim()),
        Problem::Compile { message } => {
            format!("the functions do not compile with probes: {message}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_function_is_found_in_the_newest_cell_that_has_it() {
        let cells = [
            "// one\nfn f() {\n    1\n}".to_owned(),
            "fn g() {}\n\nfn f() {\n    2\n} fn h() {}".to_owned(),
            "f()".to_owned(),
        ];
        let written = Written {
            cells: &cells,
            numbers: &[1, 4, 5],
        };
        let find = |text| {
            let found = written.find(&Probed {
                name: "f".to_owned(),
                first: 70,
                source: source(text),
                precision: None,
            });
            (found.place, found.first)
        };
        let cell = |number| Place::Cell { number };
        assert_eq!(find("fn f() {\n    1\n}"), (cell(1), 2));
        assert_eq!(find("fn f() {\n    2\n}"), (cell(4), 3));
        assert_eq!(find("fn h() {}"), (cell(4), 5));
        assert_eq!(find("fn f() {\n    3\n}"), (Place::Unknown, 1));
    }
}
