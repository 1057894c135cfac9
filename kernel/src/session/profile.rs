//! Profiled functions: where the user wrote them, and the tables of those with `#[profile]`.

use memit_lines::{Backend, Kind, Place};
use memit_magics::line_magic;
use memit_magics::magic::SourceFunction;
use memit_magics::report::Report;
use memit_magics::result::MprunResult;
use memit_runtime::measurement::{FunctionLines, LinesMeasurement};

use crate::compiler::probes::{Probed, Problem};

use super::bundle;
use super::engine::Engine;
use super::error::CellError;
use super::output::{Output, Stream};

/// The cells so far, oldest first, and what front-ends call them.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) cells: &'a [String],
    pub(super) numbers: &'a [u64],
}

impl Written<'_> {
    /// A function that was compiled, as it stands in the newest cell that has it.
    pub(super) fn find(self, function: &Probed) -> SourceFunction {
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
            compiled: function.first,
            place,
            first,
            source: function.source.clone(),
        }
    }
}

/// The line of `cell`, from 1, on which `source` starts. Beside its first and its last line
/// something else may stand.
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

/// The tables of a cell's functions with `#[profile]`.
#[derive(Default)]
pub(super) struct Marked {
    reports: Vec<Report>,
    /// Why there are none.
    note: Option<String>,
}

impl Marked {
    pub(super) fn show(&self, output: &dyn Output) {
        if let Some(note) = &self.note {
            output.stream(Stream::Stderr, note);
        }
        for report in &self.reports {
            output.display(bundle::of_report(report, &report.text, true));
        }
    }
}

/// The tables of what the last cell has called; `has_run` says that it has come to its end.
///
/// # Errors
///
/// If a `#[profile]` is wrong.
pub(super) fn of_marked(
    engine: &mut Engine,
    written: Written<'_>,
    has_run: bool,
) -> Result<Marked, CellError> {
    let probes = engine.take_probes();
    let counted = engine.take_counted();
    if let Some(problem) = probes.problem {
        return match problem {
            // If it does not compile without them either, the compiler has said so.
            Problem::Compile { .. } if !has_run => Ok(Marked::default()),
            Problem::Compile { .. } => Ok(Marked {
                reports: Vec::new(),
                note: Some(format!("#[profile]: {}\n", explained(&problem))),
            }),
            problem => Err(CellError::new("ProfileError", explained(&problem))),
        };
    }
    let Some(counted) = counted else {
        return Ok(Marked::default());
    };
    let mut reports: Vec<(Option<usize>, Backend, Vec<SourceFunction>)> = Vec::new();
    for function in &probes.functions {
        let is_it = |ran: &&FunctionLines| ran.first == function.first;
        let Some(ran) = counted.functions.iter().find(is_it) else {
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

/// What is wrong, and what to do.
pub(super) fn explained(problem: &Problem) -> String {
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
        Problem::Const { name } => format!(
            "`{name}` is a `const fn`, which the compiler may run itself, and cannot be profiled"
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
