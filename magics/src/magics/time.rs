//! `%time`: the time and the memory of statements that run once, in the session itself.

use memit_measurement::Measured;
use memit_session::abi::Plan;

use super::{line_magic, statement};
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::error::MagicError;
use crate::magic::{Action, Answer, Call, Compiled, Delivery, Form, Magic, Measurement};
use crate::report::Report;
use crate::result::TimeResult;

/// The magic.
pub(crate) struct Time;

impl Magic for Time {
    fn name(&self) -> &'static str {
        "time"
    }

    fn form(&self) -> Form {
        Form::Both
    }

    fn summary(&self) -> &'static str {
        "Run a statement once and show what it costs"
    }

    fn argument(&self) -> &'static str {
        "STATEMENTS"
    }

    fn first_line(&self) -> &'static str {
        "[STATEMENTS]"
    }

    fn details(&self) -> &'static str {
        "\
Runs the statements once, in the session itself: variables stay, and the value is the
value of the cell. Shows processor time (of all threads, in the program and in the
system), wall-clock time, the time to compile, and memory: the peak of the resident set,
the peak of the heap, and what the session holds more afterwards. Showing the value is
not measured.

The heap is counted while the statements run, which costs some nanoseconds for each
allocation. `%timeit` repeats statements for an exact time, `%memit` leaves the session
as it is.

Examples:
    %time let all: Vec<u64> = (0..10_000_000).collect();
    %%time
    let text = std::fs::read_to_string(\"Cargo.toml\")?;
    text.lines().count()"
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        Ok(Action::Measure(Box::new(OnceOf {
            delivery: statement::delivery(call)?,
            body: line_magic::body(call)?,
        })))
    }
}

const OPTIONS: &[OptionSpec] = &[statement::RETURN, statement::QUIET, statement::VARIABLE];

/// A resolved `%time`.
struct OnceOf {
    delivery: Delivery,
    body: Vec<Snippet>,
}

impl Measurement for OnceOf {
    fn code(&self, _scope: &Scope) -> Result<Generated, MagicError> {
        let snippets: Vec<_> = self.body.iter().collect();
        statement::check(&snippets)?;
        Ok(snippet::measured_in_cell(&Plan::Once, &snippets))
    }

    fn is_kept(&self) -> bool {
        true
    }

    fn answer(&self, measured: Measured, compiled: &Compiled) -> Option<Answer> {
        let Measured::Once(measurement) = measured else {
            return None;
        };
        let result = TimeResult::new(&measurement, compiled.time);
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

    fn explain(&self, _error_code: &str, _scope: &Scope) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(cell: &str) -> String {
        let body = vec![Snippet::new(cell, 0..cell.len())];
        let magic = OnceOf {
            delivery: Delivery::default(),
            body,
        };
        magic.code(&Scope::default()).unwrap().source
    }

    #[test]
    fn showing_the_value_is_not_measured() {
        insta::assert_snapshot!(code("let v = f();\nv.len()"), @"
        #[allow(warnings)] let _ = { { use ::memit_session::harness as memit_harness; } ::memit_session::harness::measure_cell({ use ::memit_session::abi::plan::*; Plan::Once }); };
        let v = f();

        match (
        v.len()
        ) { memit_own_value => { ::memit_session::harness::cell_measured(); memit_own_value } }
        ");
    }

    #[test]
    fn a_variable_is_shown_and_not_moved() {
        insta::assert_snapshot!(code("let v = f(); v"), @"
        #[allow(warnings)] let _ = { { use ::memit_session::harness as memit_harness; } ::memit_session::harness::measure_cell({ use ::memit_session::abi::plan::*; Plan::Once }); };
        let v = f(); 
        ::memit_session::harness::cell_measured();
                     v
        ");
    }

    #[test]
    fn statements_have_no_value() {
        insta::assert_snapshot!(code("let v = f();"), @"
        #[allow(warnings)] let _ = { { use ::memit_session::harness as memit_harness; } ::memit_session::harness::measure_cell({ use ::memit_session::abi::plan::*; Plan::Once }); };
        let v = f();
        ;
        ::memit_session::harness::cell_measured();
        ");
    }
}
