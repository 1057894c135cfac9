//! `%mprun`: the memory of each line of a function.

use memit_lines::{Backend, UnknownBackend};
use memit_measurement::Measured;
use memit_session::abi::{Charge, LinesPlan, Plan};

use super::line_magic;
use super::statement;
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::error::MagicError;
use crate::magic::{Action, Answer, Call, Compiled, Delivery, Form, Magic, Measurement, Named};
use crate::report::Report;
use crate::result::MprunResult;
use crate::units;

/// The magic.
pub(crate) struct Mprun;

impl Magic for Mprun {
    fn name(&self) -> &'static str {
        "mprun"
    }

    fn form(&self) -> Form {
        Form::Both
    }

    fn summary(&self) -> &'static str {
        "Measure the memory of functions, line by line"
    }

    fn argument(&self) -> &'static str {
        "STATEMENTS"
    }

    fn first_line(&self) -> &'static str {
        "[STATEMENTS]"
    }

    fn details(&self) -> &'static str {
        "\
Runs the statements once, in a fork of the session as `%memit` does, and counts the heap
memory of each line of the functions, exact to the byte and at nearly full speed. The
functions may come from any cell. A line includes the functions that it calls.

`Mem usage` is the memory after the last execution of the line, above the start of the
statements. `Increment` is the memory that the line added, over all its executions, so the
increments of a function add up. `Peak` is the highest memory above the start of the line,
so it includes memory that the line allocates and frees again. Memory freed at the end of a
block counts for its closing brace. A line is charged with what its own thread allocates and
frees. The compiler may remove a value that nothing uses: pass
it to `std::hint::black_box(&x)`.

With a backend other than `heap`, the figures are those of the system for the process.
After a crash, a panic or an interrupt, the figures cover the part that ran.

Examples:
    %mprun -f read read(\"Cargo.toml\")
    %mprun -f Graph::add -f search --mem-limit 2GB search(&graph)
    %%mprun -f read
    let text = read(\"Cargo.toml\");
    text.lines().map(str::to_owned).collect::<Vec<_>>()"
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let options = &call.options;
        let children = options.has('c');
        let backend = match options.text('b') {
            Some(name) => Some(name.parse().map_err(|error: UnknownBackend| {
                MagicError::new(error.to_string(), options.span('b').unwrap_or_default())
            })?),
            None => None,
        };
        if children && backend == Some(Backend::Heap) {
            let span = options.span('c').unwrap_or_default();
            return Err(
                MagicError::new("`-c` cannot count the heap of child processes", span)
                    .with_help("leave out `-b heap`, or choose rss, pss or uss"),
            );
        }
        let usual = if children {
            Backend::Rss
        } else {
            Backend::Heap
        };
        Ok(Action::Measure(Box::new(MemoryOf {
            functions: line_magic::functions(call)?,
            backend: backend.unwrap_or(usual),
            children,
            limit: limit(call)?,
            delivery: line_magic::delivery(call)?,
            body: line_magic::body(call)?,
        })))
    }
}

/// The limit of `--mem-limit` in bytes.
fn limit(call: &Call) -> Result<Option<u64>, MagicError> {
    let Some(text) = call.options.text('m') else {
        return Ok(None);
    };
    match units::parse_size(text) {
        Some(bytes) if bytes > 0 => Ok(Some(bytes)),
        _ => Err(MagicError::new(
            format!("`--mem-limit` takes a size, not `{text}`"),
            call.options.span('m').unwrap_or_default(),
        )
        .with_help("write it with a unit: `100MiB`, `1.5GB`")),
    }
}

const OPTIONS: &[OptionSpec] = &[
    line_magic::FUNCTION,
    line_magic::FILE,
    line_magic::RETURN,
    OptionSpec {
        short: 'c',
        long: "include-children",
        value: None,
        help: "Add the resident memory of child processes, which is sampled.",
    },
    OptionSpec {
        short: 'b',
        long: "backend",
        value: Some("BACKEND"),
        help: "Which memory to measure: heap, which is exact, or rss, pss or uss of the process. \
               Default: heap; with `-c`, rss.",
    },
    OptionSpec {
        short: 'm',
        long: "mem-limit",
        value: Some("SIZE"),
        help: "Stop when memory passes SIZE (`100MiB`, `2GB`), and show the line.",
    },
    statement::QUIET,
    statement::VARIABLE,
];

/// A resolved `%mprun`.
struct MemoryOf {
    functions: Vec<Named>,
    backend: Backend,
    children: bool,
    limit: Option<u64>,
    delivery: Delivery,
    body: Vec<Snippet>,
}

impl Measurement for MemoryOf {
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError> {
        if let (Some(_), Some(why)) = (self.limit, &scope.cannot_fork) {
            let span = self.body.first().map(Snippet::range).unwrap_or_default();
            return Err(MagicError::new(
                "`--mem-limit` ends the run, and this one would be in the session itself",
                span,
            )
            .with_help(format!(
                "the session cannot be forked: {why}. End the thread first"
            )));
        }
        let plan = Plan::Lines(LinesPlan {
            charge: Charge::Memory,
            backend: self.backend,
            children: self.children,
            limit_bytes: self.limit.unwrap_or(0),
            isolated: scope.isolated(),
        });
        line_magic::code(&plan, &self.body, scope)
    }

    fn functions(&self) -> &[Named] {
        &self.functions
    }

    fn answer(&self, measured: Measured, compiled: &Compiled) -> Option<Answer> {
        let Measured::Lines(measured) = measured else {
            return None;
        };
        let profile = line_magic::profile(&measured, &compiled.functions);
        let result = MprunResult { profile };
        Some(Answer {
            report: Report::of(&result, None),
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
