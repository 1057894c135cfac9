//! `%memit`: the peak memory of a statement.

use std::time::Duration;

use memit_measurement::{Measured, MemoryRun};
use memit_session::abi::{MemoryPlan, Plan};

use super::statement;
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::cell::syntax::mentions;
use crate::error::MagicError;
use crate::magic::{Action, Answer, Call, Compiled, Delivery, Form, Magic, Measurement};
use crate::report::Report;
use crate::result::MemitResult;

/// The magic.
pub(crate) struct Memit;

impl Magic for Memit {
    fn name(&self) -> &'static str {
        "memit"
    }

    fn form(&self) -> Form {
        Form::Both
    }

    fn summary(&self) -> &'static str {
        "Measure the peak memory of a statement"
    }

    fn argument(&self) -> &'static str {
        "STATEMENTS"
    }

    fn details(&self) -> &'static str {
        "\
Runs the statements in a fork of the session and reads the high-water mark of the
operating system, so even the shortest peak is exact. Every repetition starts from the
same state: the statements may consume or change variables, panic, or run out of memory,
and the session stays unchanged.

The value of the statements is still alive when the peak is read. `peak memory` is the
highest resident memory of the process; `increment` is the part that the statements
added. `heap peak` counts all allocated memory, touched or not. The compiler may remove a
value that nothing uses: pass it to `std::hint::black_box(&x)`.

In a cell magic, the statements on the first line are set-up: they run, but are not
measured.

Examples:
    %memit vec![1u8; 100 << 20]
    %memit -r 1 drop(v)
    %%memit let text = std::fs::read_to_string(\"Cargo.toml\").unwrap();
    text.lines().map(str::to_owned).collect::<Vec<_>>()"
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let options = &call.options;
        let seconds = |option, what| {
            let seconds =
                options.value::<f64>(option, what, |s| s.is_finite() && *s > 0.0 && *s < 1e9)?;
            Ok(seconds.map(Duration::from_secs_f64))
        };
        let repeat = options.value('r', "a whole number above 0", |r: &u32| *r > 0)?;
        let (setup, body) = statement::parts(call)?;
        Ok(Action::Measure(Box::new(MemoryOf {
            repeat: repeat.unwrap_or(DEFAULT_REPEAT),
            timeout: seconds('t', "a number of seconds above 0")?,
            interval: seconds('i', "a number of seconds above 0")?,
            children: options.has('c'),
            delivery: statement::delivery(call)?,
            setup,
            body,
        })))
    }
}

const DEFAULT_REPEAT: u32 = 3;

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        short: 'r',
        long: "repeat",
        value: Some("R"),
        help: "Repeat the measurement R times and show the highest result. Default: 3.",
    },
    OptionSpec {
        short: 't',
        long: "timeout",
        value: Some("SECONDS"),
        help: "Stop a repetition after this time, with an error that shows the peak so far.",
    },
    OptionSpec {
        short: 'i',
        long: "interval",
        value: Some("SECONDS"),
        help: "Time between two samples, if memory is sampled (see `-c`). Default: 0.001.",
    },
    OptionSpec {
        short: 'c',
        long: "include-children",
        value: None,
        help: "Add the memory of child processes, which is sampled.",
    },
    statement::RETURN,
    statement::QUIET,
    statement::VARIABLE,
];

/// A resolved `%memit`.
struct MemoryOf {
    repeat: u32,
    timeout: Option<Duration>,
    interval: Option<Duration>,
    children: bool,
    delivery: Delivery,
    setup: Option<Snippet>,
    body: Snippet,
}

impl Measurement for MemoryOf {
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError> {
        let snippets = statement::checked(self.setup.as_ref(), &self.body)?;
        let nanoseconds = |time: Option<Duration>| {
            time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        };
        let plan = Plan::Memory(MemoryPlan {
            repeat: self.repeat,
            timeout_ns: nanoseconds(self.timeout),
            interval_ns: nanoseconds(self.interval),
            children: self.children,
            isolated: scope.isolated(),
        });
        Ok(snippet::measurement(&plan, &snippets, scope, |generated| {
            if let Some(setup) = &self.setup {
                generated.snippet(setup).code(";");
            }
            snippet::measured(generated, &[&self.body]);
        }))
    }

    fn answer(&self, measured: Measured, _compiled: &Compiled) -> Option<Answer> {
        let Measured::Memory(measurement) = measured else {
            return None;
        };
        let result = MemitResult::from(measurement);
        let answer = Answer {
            report: Report::of(&result, ()),
            value: result.rust_value(),
            stopped: None,
            export: None,
        };
        Some(answer.with_notes(unallocated(self.body.text(), &result)))
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    fn explain(&self, error_code: &str, scope: &Scope) -> Option<String> {
        snippet::explain_in_place(error_code, scope)
    }
}

/// Functions and macros that hardly ever allocate nothing.
const ALLOCATING: &[&str] = &[
    "vec",
    "format",
    "Box",
    "with_capacity",
    "to_string",
    "to_owned",
    "to_vec",
    "collect",
];

/// A note if statements that seem to allocate have allocated nothing.
fn unallocated(body: &str, result: &MemitResult) -> Option<String> {
    let nothing = |run: &MemoryRun| run.allocations == 0 && run.increment == 0;
    let is_nothing = !result.runs.is_empty() && result.runs.iter().all(nothing);
    let call = ALLOCATING.iter().find(|call| mentions(body, call))?;
    is_nothing.then(|| {
        format!(
            "nothing was allocated, although the statements contain `{call}`: there was nothing to \
             allocate, or the compiler has removed the work. `std::hint::black_box(&x)` keeps an `x` \
             that nothing uses"
        )
    })
}

#[cfg(test)]
mod tests {
    use memit_measurement::MemoryMeasurement;

    use super::*;

    #[test]
    fn only_statements_that_seem_to_allocate_get_a_note() {
        let note = |body, run| {
            let measured = MemoryMeasurement {
                runs: vec![run],
                ..MemoryMeasurement::default()
            };
            unallocated(body, &MemitResult::from(measured))
        };
        let nothing = MemoryRun::default;
        let one = MemoryRun {
            allocations: 1,
            ..nothing()
        };
        let removed = note("{ let v = vec![1u8; 9]; drop(v) }", nothing());
        assert!(
            removed
                .unwrap()
                .starts_with("nothing was allocated, although the statements contain `vec`")
        );
        assert!(note("words.iter().collect::<Vec<_>>().len()", nothing()).is_some());
        assert_eq!(note("vec![1u8; 9]", one), None);
        assert_eq!(note("v.len() + vector.len()", nothing()), None);
    }
}
