//! `%timeit`: the time of a statement.

use memit_measurement::Measured;
use memit_session::abi::{Clock, Plan, TimePlan};

use super::statement;
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::cell::syntax::{Let, Statements, mentions};
use crate::cell::value;
use crate::error::MagicError;
use crate::magic::{Action, Answer, Call, Compiled, Delivery, Form, Magic, Measurement};
use crate::report::Report;
use crate::result::TimeitResult;

/// The magic.
pub(crate) struct Timeit;

impl Magic for Timeit {
    fn name(&self) -> &'static str {
        "timeit"
    }

    fn form(&self) -> Form {
        Form::Both
    }

    fn summary(&self) -> &'static str {
        "Measure how long a statement takes"
    }

    fn argument(&self) -> &'static str {
        "STATEMENTS"
    }

    fn details(&self) -> &'static str {
        "\
Runs the statements in a loop, in a fork of the session, whose variables stay unchanged.
The number of loops is the smallest power of ten with which a run takes 0.2 s; mean and
standard deviation are over the runs, as in IPython. A separate pass counts the heap.

Code is compiled with the optimizations of `cargo build --release`. The value of the
statements goes through `black_box`. The compiler may still compute constant inputs
beforehand: pass inputs through `std::hint::black_box` too. Dropping the value is part of
the time, as with criterion's `iter`: `std::mem::forget` leaves it out.

In a cell magic, the statements on the first line are set-up: they run once before each
run and are not timed. With `--fresh`, the set-up runs before every execution, for
statements that consume or change their input. What is left of the input is dropped after
the time has been taken.

Examples:
    %timeit (0..1000u64).sum::<u64>()
    %timeit -n 1000 -r 3 v.clone()
    %%timeit --fresh let mut w = v.clone();
    w.sort()"
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let options = &call.options;
        let fresh = options.has('f');
        let (setup, body) = statement::parts(call)?;
        if fresh && setup.is_none() {
            let span = options.span('f').unwrap_or_default();
            return Err(
                MagicError::new("`--fresh` needs a set-up to repeat", span).with_help(
                    "write `%%timeit --fresh SETUP`, and the statements on the lines below",
                ),
            );
        }
        let loops = options.value('n', "a whole number above 0", |n: &u64| *n > 0)?;
        let repeat = options.value('r', "a whole number from 1 to 1000000", |r: &u32| {
            (1..=1_000_000).contains(r)
        })?;
        let precision = options.value('p', "a number of digits from 1 to 17", |p| {
            (1..=17).contains(p)
        })?;
        Ok(Action::Measure(Box::new(TimeOf {
            loops: loops.unwrap_or(0),
            repeat: repeat.unwrap_or(DEFAULT_REPEAT),
            // `-c` wins over `-t`, as in IPython, which tests for it last.
            cpu_clock: options.has('c'),
            precision: precision.unwrap_or(DEFAULT_PRECISION),
            fresh,
            delivery: statement::delivery(call)?,
            setup,
            body,
        })))
    }
}

const DEFAULT_REPEAT: u32 = 7;
const DEFAULT_PRECISION: usize = 3;

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        short: 'n',
        long: "number",
        value: Some("N"),
        help: "Execute the statements N times in each run. Default: enough for a run of 0.2 s.",
    },
    OptionSpec {
        short: 'r',
        long: "repeat",
        value: Some("R"),
        help: "Number of runs. Default: 7.",
    },
    OptionSpec {
        short: 't',
        long: "wall",
        value: None,
        help: "Measure wall-clock time (the default).",
    },
    OptionSpec {
        short: 'c',
        long: "cpu",
        value: None,
        help: "Measure processor time, which excludes waiting.",
    },
    OptionSpec {
        short: 'p',
        long: "precision",
        value: Some("P"),
        help: "Show times with P digits. Default: 3.",
    },
    OptionSpec {
        short: 'f',
        long: "fresh",
        value: None,
        help: "Run the set-up before every execution, without timing it.",
    },
    statement::RETURN,
    statement::QUIET,
    statement::VARIABLE,
];

const START: &str = "::memit_session::harness::memit_start_clock();";
const STOP: &str = "::memit_session::harness::memit_stop_clock();";
const LOOP: &str =
    "while let ::std::option::Option::Some(_) = ::std::iter::Iterator::next(&mut §left) {";

/// A `break` in a macro would cut the loop short without a word.
const BREAK: &str = "if ::std::iter::Iterator::next(&mut §left).is_some() {\n\
                     return ::memit_session::harness::left_by_break();\n}";

/// A resolved `%timeit`.
struct TimeOf {
    /// 0: chosen by the runtime.
    loops: u64,
    repeat: u32,
    cpu_clock: bool,
    precision: usize,
    fresh: bool,
    delivery: Delivery,
    setup: Option<Snippet>,
    body: Snippet,
}

impl Measurement for TimeOf {
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError> {
        let snippets = statement::checked(self.setup.as_ref(), &self.body)?;
        let used = scope.used_by(&snippets);
        let plan = Plan::Time(TimePlan {
            loops: self.loops,
            repeat: self.repeat,
            clock: if self.cpu_clock {
                Clock::Cpu
            } else {
                Clock::Wall
            },
            fresh: self.fresh,
            isolated: scope.isolated(),
        });
        // The kernel compiles the cell around a magic in a block only once.
        let may_wait = scope.batches && scope.isolated() && scope.placed.is_none();
        let in_batches = self.fresh && may_wait && self.may_be_in_batches();
        let generated = snippet::measurement(&plan, &snippets, scope, |generated| {
            self.write_runs(generated, &used, in_batches);
        });
        Ok(Generated {
            in_batches,
            ..generated
        })
    }

    fn answer(&self, measured: Measured, compiled: &Compiled) -> Option<Answer> {
        let Measured::Time(measurement) = measured else {
            return None;
        };
        let compile_time = u64::try_from(compiled.time.as_nanos()).unwrap_or(u64::MAX);
        let result = TimeitResult::new(measurement, compile_time, self.precision);
        Some(Answer {
            report: Report::of(&result, ()),
            value: result.rust_value(),
            stopped: None,
            export: None,
        })
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    fn explain(&self, error_code: &str, scope: &Scope) -> Option<String> {
        snippet::explain_in_place(error_code, scope).or_else(|| {
            let moved = ["E0382", "E0505", "E0507"].contains(&error_code);
            (moved && !self.fresh).then(|| {
                "the statements run many times, so they cannot consume their input. Make a new \
                 input for each execution: `%%timeit --fresh let x = x.clone();`, and the \
                 statements on the lines below"
                    .to_owned()
            })
        })
    }
}

impl TimeOf {
    /// Writes the code that asks for runs until there is no further one, and makes each of them.
    fn write_runs(&self, generated: &mut Generated, used: &[&str], in_batches: bool) {
        generated.code(&escape(used.iter().copied()));
        let snippets: Vec<_> = self.setup.iter().chain([&self.body]).collect();
        let (open, close) = snippet::runtime(generated, &snippets);
        generated.around(
            &format!(
                "loop {{\nlet mut §left = ::memit_session::harness::memit_next_run();\n\
                 if §left == 0 {{ break; }}\nlet () = {open}"
            ),
            &format!(
                "{}\n{close}?;\n::memit_session::harness::flush();\n}}",
                snippet::OK
            ),
            |generated| match (self.fresh, in_batches) {
                (false, _) => self.write_loop(generated),
                (true, false) => self.write_executions(generated),
                (true, true) => self.write_batches(generated),
            },
        );
    }

    /// Writes the loop over the statements.
    fn write_loop(&self, generated: &mut Generated) {
        self.set_up(generated);
        generated.code("let mut §left = 0..§left;").code(START);
        generated.around(LOOP, "}", |generated| self.write_body(generated));
        generated.code(STOP).code(BREAK);
    }

    /// Writes a loop over the set-up and the statements.
    fn write_executions(&self, generated: &mut Generated) {
        generated.code("let mut §left = 0..§left;");
        generated.around(LOOP, "}", |generated| {
            generated.code("::memit_session::harness::memit_next_batch(1, 0);");
            self.set_up(generated);
            generated
                .code("::memit_session::harness::idle();")
                .code(START);
            self.write_body(generated);
            generated.code(STOP);
        });
        generated.code(BREAK);
    }

    /// Writes executions of which many are set up before the first of them.
    fn write_batches(&self, generated: &mut Generated) {
        const PAUSE: &str = "::memit_session::harness::Pause::default().await;";
        generated.around(
            "while §left > 0 {\nlet mut §batch = ::memit_session::harness::Batch::new(&mut §left);\n\
             while §batch.has_room() {\n§batch.add(async {",
            &format!("{}\n}})?;\n}}\n§batch.execute()?;\n}}", snippet::OK),
            |generated| {
                self.set_up(generated);
                generated.code(PAUSE);
                self.write_body(generated);
                generated.code(PAUSE);
            },
        );
    }

    fn write_body(&self, generated: &mut Generated) {
        // By reference: what it takes to move a value is not the statements' time.
        let use_value = "::memit_session::harness::look_at_value(&§value);\n\
             ::std::hint::black_box(&§value);\n\
             ::std::mem::drop(§value);";
        value::used(generated, &[&self.body], self.fresh, use_value);
    }

    /// Whether several executions may be set up before the first of them: their set-ups only bind
    /// variables. Another set-up may change what it shares with the statements, and so may one whose
    /// value is there for its effect: `_guard`.
    fn may_be_in_batches(&self) -> bool {
        !self.body.awaits()
            && self.setup.as_ref().is_some_and(|setup| {
                let statements = Statements::parse(setup.text());
                let is_used =
                    |name: &String| !name.starts_with('_') || mentions(self.body.text(), name);
                let binds = |each: &Let| !each.names.is_empty() && each.names.iter().all(is_used);
                statements.only_binds() && !setup.awaits() && statements.lets().iter().all(binds)
            })
    }

    /// Writes the set-up. Each variable escapes right behind its `let`, as later statements may move it.
    fn set_up(&self, generated: &mut Generated) {
        let Some(setup) = &self.setup else { return };
        let mut written = 0;
        for each in Statements::parse(setup.text()).lets() {
            let used = each
                .names
                .iter()
                .map(String::as_str)
                .filter(|name| mentions(self.body.text(), name));
            let escapes = escape(used);
            if each.value.is_some() && !escapes.is_empty() {
                generated.snippet(&setup.piece(written..each.range.end));
                // The `;` of the last statement may be missing.
                generated.code(";").code(&escapes);
                written = each.range.end;
            }
        }
        generated
            .snippet(&setup.piece(written..setup.text().len()))
            .code(";");
    }
}

/// Passes the addresses of variables to `black_box` once. From then on, the compiler must assume
/// that every later `black_box` changes the variables, so it cannot move work on them out of the
/// loop. Inside the loop this costs nothing.
fn escape<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.fold(String::new(), |code, name| {
        code + "::std::hint::black_box(&raw const " + name + ");\n"
    })
}
