//! `%cache`: the dependencies that all sessions share.

use crate::cell::options::OptionSpec;
use crate::error::MagicError;
use crate::magic::{Action, Call, Form, Magic};

const CLEAR: OptionSpec = OptionSpec {
    short: 'c',
    long: "clear",
    value: None,
    help: "Remove everything from the cache.",
};

/// The magic.
pub(crate) struct Cache;

impl Magic for Cache {
    fn name(&self) -> &'static str {
        "cache"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "Show or clear the cache of compiled dependencies"
    }

    fn details(&self) -> &'static str {
        "Every session keeps the dependencies that it has compiled, and no session compiles a \
         dependency again while its version, features and flags, the level of optimisation and the \
         compiler are the same. Crates on this machine, as in `:dep NAME = { path = \"…\" }`, are compiled \
         in each session. The cache also has the libraries into which sessions link their dependencies.\n\
         \n\
         The cache holds at most 5 GiB; what was used least recently is removed first. The environment \
         variable `MEMIT_CACHE` sets another number of GiB, or turns the cache off: `MEMIT_CACHE=off`."
    }

    fn options(&self) -> &'static [OptionSpec] {
        &[CLEAR]
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_no_argument(self.name())?;
        Ok(Action::Cache {
            clears: call.options.has(CLEAR.short),
        })
    }
}
