//! `%lprun`: the time of each line of a function.

use memit_lines::TimeText;
use memit_measurement::Measured;
use memit_session::abi::{Backend, Charge, LinesPlan, Plan};

use super::line_magic;
use super::probe_cost;
use super::statement;
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::error::MagicError;
use crate::magic::{Action, Answer, Call, Compiled, Delivery, Form, Magic, Measurement, Named};
use crate::report::Report;
use crate::result::LprunResult;

/// The magic.
pub(crate) struct Lprun;

impl Magic for Lprun {
    fn name(&self) -> &'static str {
        "lprun"
    }

    fn form(&self) -> Form {
        Form::Both
    }

    fn summary(&self) -> &'static str {
        "Measure the time of functions, line by line"
    }

    fn argument(&self) -> &'static str {
        "STATEMENTS"
    }

    fn first_line(&self) -> &'static str {
        "[STATEMENTS]"
    }

    fn details(&self) -> &'static str {
        "\
Runs the statements in a fork of the session, at nearly full speed. Hits count every execution
of a line. Times are sampled: every 100 μs, a sampler reads which line is running, so a line
includes the functions that it calls. A short run is repeated and sampled more often. A run too
short for that reads a clock at every line, as with `--exact`. Times are those of a run without
probes, which is made for comparison if the probes may have taken long. The compiler may move
work from one line to the next. Time to free the variables of a block counts for its closing
brace. Threads that run a function at the same time share that time.

Examples:
    %lprun -f parse parse(&text)
    %lprun -f parse -f Lexer::next -u 1e-6 parse(&text)
    %%lprun -f parse
    let text = std::fs::read_to_string(\"Cargo.toml\")?;
    parse(&text)"
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let options = &call.options;
        let unit = options.value('u', "a number of seconds above 0, such as 1e-6", |unit| {
            f64::is_finite(*unit) && *unit > 0.0
        })?;
        Ok(Action::Measure(Box::new(TimeOf {
            functions: line_magic::functions(call)?,
            exact: options.has('e'),
            view: TimeText {
                unit,
                strip_zeros: options.has('s') || options.has('z'),
            },
            delivery: line_magic::delivery(call)?,
            body: line_magic::body(call)?,
        })))
    }
}

const OPTIONS: &[OptionSpec] = &[
    line_magic::FUNCTION,
    line_magic::FILE,
    line_magic::RETURN,
    OptionSpec {
        short: 'u',
        long: "unit",
        value: Some("SECONDS"),
        help: "Show times in this unit, in seconds: 1e-6, for example. Default: 1e-9.",
    },
    OptionSpec {
        short: 'z',
        long: "skip-zero",
        value: None,
        help: "Leave out functions that never ran.",
    },
    OptionSpec {
        short: 's',
        long: "strip",
        value: None,
        help: "An older name of `-z`.",
    },
    OptionSpec {
        short: 'e',
        long: "exact",
        value: None,
        help: "Read the time stamp counter at every line instead of sampling.",
    },
    statement::QUIET,
    statement::VARIABLE,
];

/// A resolved `%lprun`.
struct TimeOf {
    functions: Vec<Named>,
    exact: bool,
    view: TimeText,
    delivery: Delivery,
    body: Vec<Snippet>,
}

impl TimeOf {
    /// The code of a run whose lines are charged with this.
    fn charged(&self, charge: Charge, scope: &Scope) -> Result<Generated, MagicError> {
        let plan = Plan::Lines(LinesPlan {
            charge,
            backend: Backend::Heap,
            children: false,
            limit_bytes: 0,
            isolated: scope.isolated(),
        });
        line_magic::code(&plan, &self.body, scope)
    }
}

impl Measurement for TimeOf {
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError> {
        let charge = if self.exact {
            Charge::ExactTime
        } else {
            Charge::SampledTime
        };
        self.charged(charge, scope)
    }

    fn plain_code(&self, measured: &Measured, scope: &Scope) -> Option<Generated> {
        match measured {
            Measured::Lines(measured) if measured.needs_plain_run() => {
                self.charged(Charge::WholeTime, scope).ok()
            }
            _ => None,
        }
    }

    fn functions(&self) -> &[Named] {
        &self.functions
    }

    fn answer(&self, measured: Measured, compiled: &Compiled) -> Option<Answer> {
        let Measured::Lines(measured) = measured else {
            return None;
        };
        let measured = probe_cost::subtracted(measured, compiled.plain_ns);
        let profile = line_magic::profile(&measured, &compiled.functions);
        let result = LprunResult { profile };
        Some(Answer {
            report: Report::of(&result, &self.view),
            value: result.rust_value(),
            stopped: result.profile.stopped.map(|stopped| stopped.why),
            export: None,
        })
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    fn explain(&self, error_code: &str, scope: &Scope) -> Option<String> {
        snippet::explain_in_place(error_code, scope)
    }
}
