//! `%costs`: what the cells of the session have cost.

use crate::cell::options::OptionSpec;
use crate::error::MagicError;
use crate::magic::{Action, Call, Costs, Form, Magic};
use crate::result::CostsOrder;

const SORT: OptionSpec = OptionSpec {
    short: 's',
    long: "sort",
    value: Some("ORDER"),
    help: "Order the table by `cell`, `peak`, `time` or `held`. Default: cell.",
};

/// The magic.
pub(crate) struct CostsMagic;

impl Magic for CostsMagic {
    fn name(&self) -> &'static str {
        "costs"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "Show what each cell has cost: time, memory, what the session holds"
    }

    fn argument(&self) -> &'static str {
        "[on | off]"
    }

    fn details(&self) -> &'static str {
        "\
Shows a table of the session's cells: the time to compile, the time to run, the highest
resident memory, its increment, and the heap that the session holds more after the cell.
Every cell is measured by a few readings before and after it, and nothing while it runs.

`%costs on` shows a line below each cell from now on, `%costs off` no longer does. So do
`memit kernel --costs` and the environment variable `MEMIT_COSTS=1`. The figures are
always in the metadata of the kernel's reply, as `memit`.

Examples:
    %costs
    %costs --sort held
    %costs on"
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[SORT]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        let sort = call.options.value(
            SORT.short,
            "one of cell, peak, time and held",
            |name: &String| CostsOrder::named(name).is_some(),
        )?;
        let order = sort.as_deref().and_then(CostsOrder::named);
        let action = match (call.argument.text().trim(), order) {
            ("", order) => Costs::Table(order.unwrap_or_default()),
            ("on", None) => Costs::Show(true),
            ("off", None) => Costs::Show(false),
            ("on" | "off", Some(_)) => {
                let span = call.options.span(SORT.short).unwrap_or_default();
                return Err(MagicError::new("the order is that of the table", span)
                    .with_help("leave `--sort` out"));
            }
            _ => {
                let message = "`%costs` takes `on`, `off` or nothing";
                return Err(MagicError::new(message, call.argument.range()));
            }
        };
        Ok(Action::Costs(action))
    }
}
