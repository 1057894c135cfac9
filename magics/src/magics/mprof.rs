//! `%mprof`: the memory of statements over time.

use std::sync::Arc;

use memit_measurement::{Measured, TimelineMeasurement};
use memit_session::abi::{Plan, TimelinePlan};

use super::line_magic;
use super::statement;
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::chart::Chart;
use crate::error::MagicError;
use crate::magic::{
    Action, Answer, Call, Compiled, Delivery, Draw, Export, Form, Magic, Measurement,
};
use crate::mprof_file;
use crate::report::{Preview, Report};
use crate::result::MprofResult;

/// The magic.
pub(crate) struct Mprof;

impl Magic for Mprof {
    fn name(&self) -> &'static str {
        "mprof"
    }

    fn form(&self) -> Form {
        Form::Both
    }

    fn summary(&self) -> &'static str {
        "Plot the memory of statements over time"
    }

    fn argument(&self) -> &'static str {
        "STATEMENTS"
    }

    fn first_line(&self) -> &'static str {
        "[STATEMENTS]"
    }

    fn details(&self) -> &'static str {
        "\
Runs the statements once, in a fork of the session as `%memit` does, and plots the
resident memory and the live heap of the run: a thousand samples a second, and the exact
peak, however short. The plot grows while the statements run. After an interrupt, a panic
or a crash, it covers the part that ran.

Phases label parts of the run. A phase lasts until its value is dropped; phases may be
nested and overlap. Functions with `#[profile]` are phases, too:
    let _phase = memit::phase(\"load\");
    memit::timestamp!(\"half of it\");
Cells need neither a dependency nor an import for phases. The memory at the start and at
the end of a phase and its peak are exact.

With `--keep`, the statements run in the session itself, like a cell without the magic:
their variables stay, and a phase bound at the top of the cell ends with the cell.

Examples:
    %mprof read_all(\"data\")
    %%mprof -t \"Two ways to sum\" -o sums.svg
    let _phase = memit::phase(\"collect\");
    let all: Vec<u64> = (0..10_000_000).collect();
    all.iter().sum::<u64>()"
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let options = &call.options;
        let interval = options.value(
            'i',
            "a number of seconds from 0.00001 to 3600",
            |s: &f64| (1e-5..=3600.0).contains(s),
        )?;
        Ok(Action::Measure(Box::new(OverTime {
            interval: interval.unwrap_or(DEFAULT_INTERVAL),
            children: options.has('c'),
            title: options.text('t').map(str::to_owned),
            keep: options.has('k'),
            delivery: Delivery {
                returned: options.has('r') && call.variable.is_none(),
                export: options.text('o').map(str::to_owned),
                ..statement::delivery(call)?
            },
            command: format!("%mprof {}", call.argument.text().trim()),
            body: line_magic::body(call)?,
        })))
    }
}

/// In seconds.
const DEFAULT_INTERVAL: f64 = 0.001;

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        short: 'i',
        long: "interval",
        value: Some("SECONDS"),
        help: "Time between two samples. Default: 0.001. Peaks are exact at any interval.",
    },
    OptionSpec {
        short: 'c',
        long: "include-children",
        value: None,
        help: "Add the resident memory of child processes.",
    },
    OptionSpec {
        short: 't',
        long: "title",
        value: Some("TITLE"),
        help: "Show this title above the plot. Quote a title with blanks.",
    },
    OptionSpec {
        short: 'k',
        long: "keep",
        value: None,
        help: "Run the statements in the session itself and keep their variables.",
    },
    OptionSpec {
        short: 'o',
        long: "output",
        value: Some("FILE"),
        help: "Write the plot to this file (.svg, .png, .html), or the samples in the format of \
               `memit mprof` and of Python's `mprof` (any other name).",
    },
    line_magic::RETURN,
    statement::QUIET,
    statement::VARIABLE,
];

/// A resolved `%mprof`.
struct OverTime {
    /// In seconds.
    interval: f64,
    children: bool,
    title: Option<String>,
    keep: bool,
    delivery: Delivery,
    /// The line of the magic.
    command: String,
    body: Vec<Snippet>,
}

impl OverTime {
    fn interval_ns(&self) -> u64 {
        let interval = std::time::Duration::from_secs_f64(self.interval);
        u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Measurement for OverTime {
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError> {
        let plan = Plan::Timeline(TimelinePlan {
            interval_ns: self.interval_ns(),
            children: self.children,
            isolated: scope.isolated() && !self.keep,
        });
        if !self.keep {
            return line_magic::code(&plan, &self.body, scope);
        }
        let mut generated = snippet::measurement_of_cell(&plan);
        snippet::in_sequence(&mut generated, &self.body.iter().collect::<Vec<_>>());
        Ok(generated)
    }

    fn is_kept(&self) -> bool {
        self.keep
    }

    fn answer(&self, measured: Measured, _compiled: &Compiled) -> Option<Answer> {
        let Measured::Timeline(measurement) = measured else {
            return None;
        };
        let failure = measurement.failure.as_ref();
        let stopped = failure.map(crate::failure::message);
        let result = MprofResult::from(measurement);
        Some(Answer {
            report: Report::of(&result, self.title.as_deref()),
            value: result.rust_value(),
            stopped,
            export: Some(Export {
                chart: Chart::of_timeline(&result.measurement, self.title.as_deref()),
                profile: mprof_file::of_result(&result, &self.command),
            })
            .filter(|_| self.delivery.export.is_some()),
        })
    }

    fn preview(&self) -> Option<Draw> {
        if self.delivery.quiet {
            return None;
        }
        let title = self.title.clone();
        Some(Arc::new(move |measurement: TimelineMeasurement| {
            Preview::of(&MprofResult::from(measurement), title.as_deref())
        }))
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    fn explain(&self, error_code: &str, scope: &Scope) -> Option<String> {
        if self.keep {
            return None;
        }
        snippet::explain_in_place(error_code, scope)
    }
}
