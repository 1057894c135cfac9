//! Functions as the user wrote them, put together with their counters.

use crate::counted::FunctionLines;
use crate::function::{Function, Line, Place};
use crate::function_name::is_called;

/// A function as the user wrote it, and how its counters can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFunction {
    /// The name, with the type or module before it: `Julia::step`.
    pub name: String,
    /// The compiled file as the counters name it; `None` if all counters are of one file.
    pub file: Option<String>,
    /// First line of the function in the compiled file, from 1.
    pub compiled: u32,
    /// Where the user wrote the function.
    pub place: Place,
    /// First line of the function at that place, from 1.
    pub first: u32,
    /// Every line from the signature to the closing brace.
    pub source: Vec<String>,
}

impl SourceFunction {
    /// The counters of this function among those of all functions that ran.
    pub fn counters<'a>(&self, counted: &'a [FunctionLines]) -> Option<&'a FunctionLines> {
        counted.iter().find(|counters| self.owns(counters))
    }

    /// Whether these counters are of this function. One of the two names may lack modules or types
    /// that the other has.
    pub fn owns(&self, counters: &FunctionLines) -> bool {
        self.compiled == counters.first
            && self.file.as_ref().is_none_or(|file| *file == counters.file)
            && (is_called(&counters.name, &self.name) || is_called(&self.name, &counters.name))
    }

    /// The function line by line. Without `counters`, the function was never called.
    pub fn with_figures(&self, counters: Option<&FunctionLines>) -> Function {
        let lines = (self.first..).zip(self.compiled..).zip(&self.source).map(
            |((number, compiled), source)| Line {
                number,
                source: source.clone(),
                figures: counters.and_then(|counters| counters.figures_at(compiled)),
            },
        );
        Function {
            name: self.name.clone(),
            place: self.place.clone(),
            first: self.first,
            calls: counters.map_or(0, |counters| counters.calls),
            lines: lines.collect(),
            stopped_at: counters.and_then(|counters| self.running_line(counters)),
        }
    }

    /// The line, where the user wrote the function, that was running when the run ended.
    fn running_line(&self, counters: &FunctionLines) -> Option<u32> {
        let below_first = counters.running?.checked_sub(self.compiled)?;
        Some(self.first + below_first)
    }
}

/// The line that was running when the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningLine<'a> {
    /// The name of the function.
    pub function: &'a str,
    /// The line, where the user wrote the function.
    pub line: u32,
}

/// The innermost line that was running when the run ended, of these functions with their counters.
pub fn innermost_line<'a>(
    functions: impl IntoIterator<Item = (&'a SourceFunction, &'a FunctionLines)>,
) -> Option<RunningLine<'a>> {
    let running = functions.into_iter().filter_map(|(source, counters)| {
        let line = source.running_line(counters)?;
        Some((counters.depth, line, source.name.as_str()))
    });
    let (_, line, function) = running.max()?;
    Some(RunningLine { function, line })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Backend;
    use crate::counted::LineFigures;
    use crate::function::Figures;

    fn source(name: &str, compiled: u32) -> SourceFunction {
        SourceFunction {
            name: name.to_owned(),
            file: None,
            compiled,
            place: Place::Cell { number: 4 },
            first: 2,
            source: ["fn f() {", "    g();", "}"].map(str::to_owned).to_vec(),
        }
    }

    fn counters(name: &str, first: u32, depth: u64, running: Option<u32>) -> FunctionLines {
        let line = |line, ends, hits| LineFigures {
            line,
            ends,
            figures: Figures {
                hits,
                increment: 5,
                ..Figures::default()
            },
        };
        FunctionLines {
            name: name.to_owned(),
            file: "src/lib.rs".to_owned(),
            first,
            backend: Backend::Heap,
            calls: 1,
            depth,
            running,
            lines: vec![line(first + 2, true, 7), line(first + 1, false, 7)],
        }
    }

    #[test]
    fn figures_stand_at_the_lines_that_the_user_wrote() {
        let function = source("f", 70).with_figures(Some(&counters("f", 70, 1, Some(71))));
        let hits = function.lines.iter().map(|line| {
            let figures = line.figures.as_ref();
            (line.number, figures.map(|figures| figures.hits))
        });
        // The end of a block does not run.
        assert_eq!(
            hits.collect::<Vec<_>>(),
            [(2, None), (3, Some(7)), (4, Some(0))]
        );
        assert_eq!(function.increment(), 10);
        assert_eq!(function.stopped_at, Some(3));
    }

    #[test]
    fn a_function_without_counters_was_never_called() {
        let function = source("f", 70).with_figures(None);
        assert_eq!((function.calls, function.lines.len()), (0, 3));
        assert!(function.figures().next().is_none());
    }

    #[test]
    fn counters_are_found_by_line_and_by_whole_parts_of_the_name() {
        let owns = |ours: &str, theirs: &str| source(ours, 70).owns(&counters(theirs, 70, 1, None));
        assert!(owns("S::f", "run_user_code_3::S::f"));
        assert!(owns("S::f", "f"));
        assert!(!owns("f", "of"));
        assert!(!owns("of", "f"));
        assert!(!owns("S::f", "T::f"));
        assert!(!source("f", 10).owns(&counters("f", 70, 1, None)));
        let all = [counters("of", 70, 1, None), counters("f", 70, 1, None)];
        assert_eq!(source("f", 70).counters(&all), Some(&all[1]));
    }

    #[test]
    fn functions_at_the_same_line_are_told_apart_by_their_file() {
        let in_file = |file: &str| SourceFunction {
            file: Some(file.to_owned()),
            ..source("f", 70)
        };
        assert!(in_file("src/lib.rs").owns(&counters("f", 70, 1, None)));
        assert!(!in_file("src/main.rs").owns(&counters("f", 70, 1, None)));
    }

    #[test]
    fn the_innermost_line_is_in_the_function_with_the_greatest_depth() {
        let (f, g, idle) = (source("f", 70), source("g", 80), source("idle", 90));
        let (of_f, of_g) = (
            counters("f", 70, 1, Some(72)),
            counters("g", 80, 2, Some(81)),
        );
        let of_idle = counters("idle", 90, 3, None);
        let innermost = innermost_line([(&f, &of_f), (&idle, &of_idle), (&g, &of_g)]);
        let expected = RunningLine {
            function: "g",
            line: 3,
        };
        assert_eq!(innermost, Some(expected));
        assert_eq!(super::innermost_line([(&idle, &of_idle)]), None);
    }
}
