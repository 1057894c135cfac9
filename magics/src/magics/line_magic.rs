//! Options and results of the magics that profile functions line by line.

use memit_lines::{Profile, RunningLine, SourceFunction, Stopped, innermost_line};
use memit_measurement::{Failure, FailureKind, LinesMeasurement};
use memit_session::abi::Plan;

use super::statement;
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::error::MagicError;
use crate::failure;
use crate::magic::{Call, Delivery, Named};

pub(crate) const FUNCTION: OptionSpec = OptionSpec {
    short: 'f',
    long: "function",
    value: Some("FUNC"),
    help: "Profile this function: `name` or `Type::name`. Repeat the option for several.",
};

pub(crate) const FILE: OptionSpec = OptionSpec {
    short: 'T',
    long: "text-file",
    value: Some("FILE"),
    help: "Also write the tables to this file.",
};

pub(crate) const RETURN: OptionSpec = OptionSpec {
    short: 'r',
    ..statement::RETURN
};

/// The functions named by `-f`.
pub(crate) fn functions(call: &Call) -> Result<Vec<Named>, MagicError> {
    let named: Vec<_> = call
        .options
        .all('f')
        .map(|(name, span)| Named {
            name: name.to_owned(),
            span,
        })
        .collect();
    if named.is_empty() {
        let start = call.argument.range().start;
        return Err(MagicError::new(
            "there is no function to profile",
            start.saturating_sub(1)..start,
        )
        .with_help("name one with `-f FUNC`; repeat the option for several"));
    }
    Ok(named)
}

/// Where to deliver the answer.
pub(crate) fn delivery(call: &Call) -> Result<Delivery, MagicError> {
    let options = &call.options;
    Ok(Delivery {
        returned: options.has('r') && call.variable.is_none(),
        file: options.text('T').map(str::to_owned),
        ..statement::delivery(call)?
    })
}

/// The statements on the line of the magic, then the statements below it.
pub(crate) fn body(call: &Call) -> Result<Vec<Snippet>, MagicError> {
    let lines = [Some(&call.argument), call.body.as_ref()];
    let body: Vec<_> = lines
        .into_iter()
        .flatten()
        .filter(|snippet| !snippet.is_blank())
        .cloned()
        .collect();
    if body.is_empty() {
        // Fails with an error about the missing statements.
        statement::parts(call)?;
    }
    Ok(body)
}

/// The code that measures the statements.
pub(crate) fn code(plan: &Plan, body: &[Snippet], scope: &Scope) -> Result<Generated, MagicError> {
    let snippets: Vec<_> = body.iter().collect();
    statement::check(&snippets)?;
    Ok(snippet::measurement(plan, &snippets, scope, |generated| {
        snippet::measured(generated, &snippets);
    }))
}

/// Combines counters with the user's source. Functions that never ran are included.
pub fn profile(measured: &LinesMeasurement, sources: &[SourceFunction]) -> Profile {
    let counters = |source: &SourceFunction| source.counters(&measured.functions);
    let functions = sources
        .iter()
        .map(|source| source.with_figures(counters(source)));
    let running = || {
        let ran = sources
            .iter()
            .filter_map(|source| Some((source, counters(source)?)));
        innermost_line(ran)
    };
    Profile {
        functions: functions.collect(),
        kind: measured.kind,
        wall_ns: measured.wall_ns,
        isolated: measured.isolated,
        threads: measured.threads,
        threaded: measured.threaded,
        outlasting: measured.outlasting,
        stopped: measured.failure.as_ref().map(|failure| Stopped {
            why: why(failure, running()),
        }),
    }
}

/// Why the run ended early, and on which line: the innermost that was running.
fn why(failure: &Failure, running: Option<RunningLine<'_>>) -> String {
    let message = failure::message(failure);
    let place =
        running.map(|RunningLine { function, line }| format!(" on line {line} of `{function}`"));
    match (place, &failure.cause) {
        (_, FailureKind::Panic(_)) => format!("the statement panicked: {message}"),
        (Some(place), FailureKind::PassedLimit { .. }) => {
            failure::passed_limit(&failure.cause, &place)
        }
        (Some(place), _) => format!("{message}{place}"),
        (None, _) => message,
    }
}

#[cfg(test)]
mod tests {
    use memit_lines::{Backend, Figures, Kind, Place};
    use memit_measurement::{FunctionLines, LineFigures};

    use super::*;

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

    fn ran(name: &str, first: u32, depth: u64, running: Option<u32>) -> FunctionLines {
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

    fn measured(functions: Vec<FunctionLines>, cause: Option<FailureKind>) -> LinesMeasurement {
        LinesMeasurement {
            functions,
            kind: Kind::Memory {
                backend: Backend::Heap,
                children: false,
                baseline: 0,
            },
            wall_ns: 1,
            isolated: true,
            threads: 1,
            threaded: false,
            outlasting: 0,
            failure: cause.map(|cause| Failure {
                cause,
                peak_rss: None,
                threads: 1,
                in_place: false,
                needs_fresh: false,
            }),
            timing: None,
        }
    }

    #[test]
    fn figures_stand_at_the_lines_of_the_cell() {
        let ran = ran("run_user_code_3::S::f", 70, 1, None);
        let profile = profile(&measured(vec![ran], None), &[source("S::f", 70)]);
        let [function] = &profile.functions[..] else {
            panic!("{profile:?}");
        };
        let hits = function.lines.iter().map(|line| {
            let figures = line.figures.as_ref();
            (line.number, figures.map(|figures| figures.hits))
        });
        // The end of a block has no hits.
        assert_eq!(
            hits.collect::<Vec<_>>(),
            [(2, None), (3, Some(7)), (4, Some(0))]
        );
        assert_eq!(function.increment(), 10);
    }

    #[test]
    fn a_function_that_never_ran_is_included() {
        let of_another_line = ran("f", 10, 1, None);
        let profile = profile(&measured(vec![of_another_line], None), &[source("f", 70)]);
        assert_eq!(profile.functions[0].calls, 0);
        assert!(profile.functions[0].figures().next().is_none());
    }

    #[test]
    fn the_innermost_line_is_where_it_stopped() {
        let functions = vec![ran("g", 80, 2, Some(81)), ran("f", 70, 1, Some(71))];
        let cause = FailureKind::PassedLimit {
            limit: 100 << 20,
            reached: 101 << 20,
            refused: true,
        };
        let measured = measured(functions, Some(cause));
        let profile = profile(&measured, &[source("f", 70), source("g", 80)]);
        assert_eq!(
            profile.stopped.unwrap().why,
            "memory passed 100.00 MiB on line 3 of `g`: it would have reached 101.00 MiB"
        );
        assert_eq!(profile.functions[0].stopped_at, Some(3));
    }
}
