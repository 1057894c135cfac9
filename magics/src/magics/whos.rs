//! `%whos`: the variables of the session with their sizes and values.

use memit_measurement::Measured;

use super::statement;
use crate::cell::options::OptionSpec;
use crate::cell::snippet::{self, Generated, Scope};
use crate::error::MagicError;
use crate::magic::{Action, Answer, Call, Compiled, Delivery, Form, Magic, Measurement};
use crate::report::Report;
use crate::result::{WhosOrder, WhosResult};

const SORT: OptionSpec = OptionSpec {
    short: 's',
    long: "sort",
    value: Some("ORDER"),
    help: "Order the table by `cell`, `name`, `type` or `size`. Default: cell.",
};

const OPTIONS: &[OptionSpec] = &[
    SORT,
    statement::RETURN,
    statement::QUIET,
    statement::VARIABLE,
];

/// The magic.
pub(crate) struct Whos;

impl Magic for Whos {
    fn name(&self) -> &'static str {
        "whos"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "Show the variables with their types, sizes and values"
    }

    fn details(&self) -> &'static str {
        "\
Shows a table of the session's variables. The heap of a variable is what dropping the
variable frees, measured for a value of any type: a fork of the session drops the value
while the heap is counted. The fork can reach nothing outside: it deletes no file, ends no
process and writes to no socket.

`Heap` is what the variable alone holds, `Shared` what it shares with other variables, as
with an `Rc`, `Blocks` the number of allocations, `Size` the size of the value itself, and
`Cell` the cell that has made the variable. The last lines say where the live heap of the
session is.

Examples:
    %whos
    %whos --sort size
    let all = %whos -q"
    }

    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        let sort = call.options.value(
            SORT.short,
            "one of cell, name, type and size",
            |name: &String| WhosOrder::named(name).is_some(),
        )?;
        Ok(Action::Measure(Box::new(AllVariables {
            delivery: statement::delivery(call)?,
            order: sort
                .as_deref()
                .and_then(WhosOrder::named)
                .unwrap_or_default(),
            name: call.argument.range(),
        })))
    }
}

/// A resolved `%whos`.
struct AllVariables {
    delivery: Delivery,
    order: WhosOrder,
    name: std::ops::Range<usize>,
}

impl Measurement for AllVariables {
    fn code(&self, scope: &Scope) -> Result<Generated, MagicError> {
        if scope.placed.is_some() {
            let message = "`%whos` cannot stand in a block";
            let error = MagicError::new(message, self.name.clone());
            return Err(error.with_help("write it at the top of a cell"));
        }
        Ok(snippet::measurement_of_variables(scope))
    }

    fn answer(&self, measured: Measured, compiled: &Compiled) -> Option<Answer> {
        let Measured::Variables(measurement) = measured else {
            return None;
        };
        let result = WhosResult::new(&measurement, &compiled.variables);
        Some(Answer {
            report: Report::of(&result, self.order),
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
    use crate::magic::SessionVariable;

    #[test]
    fn each_variable_is_listed_with_its_way_to_be_shown() {
        let variable = |name: &str, written: &str| SessionVariable {
            name: name.to_owned(),
            written: written.to_owned(),
            ..SessionVariable::default()
        };
        let scope = Scope {
            session: vec![
                variable("a", "::std::vec::Vec<u8>"),
                variable("r#type", "Point"),
                variable("b", "::std::vec::Vec<u8>"),
            ],
            ..Scope::default()
        };
        insta::assert_snapshot!(snippet::measurement_of_variables(&scope).source, @r#"
        #[allow(warnings)] let _ = {
        { use ::memit_session::harness as memit_harness; }
        use ::memit_session::listing::{ByDebug as _, ByDisplay as _, ByNothing as _};
        let memit_own_variables: &[(&str, usize)] = &[("a", 0), ("r#type", 1), ("b", 0), ];
        let memit_own_types: &[::memit_session::listing::Type] = &[
        ::memit_session::listing::Type::of::<::std::vec::Vec<u8>>((&&&::memit_session::listing::Way::<::std::vec::Vec<u8>>(::std::marker::PhantomData)).memit_way()),
        ::memit_session::listing::Type::of::<Point>((&&&::memit_session::listing::Way::<Point>(::std::marker::PhantomData)).memit_way()),
        ];
        let mut memit_own_list = None;
        ::memit_session::harness::measure({ use ::memit_session::abi::plan::*; Plan::Variables }, &mut || { memit_own_list = Some(unsafe { ::memit_session::listing::list(memit_own_variables, memit_own_types) }); ::memit_session::harness::finished() });
        };
        "#);
    }
}
