//! A command of `rustc` for a cell, for the stand-in for cargo, which repeats the command.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;

use serde::{Deserialize, Serialize};

/// The variable of the file for the command. The stand-in for cargo sets the variable.
pub(crate) const VARIABLE: &str = "MEMIT_RECORD_RUSTC";

/// A command of `rustc`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// Records the command of this process, if somebody has asked for the record.
pub(super) fn record() {
    if let Some(file) = env::var_os(VARIABLE)
        && let Ok(command) = of_process()
        && let Ok(text) = serde_json::to_vec(&command)
    {
        let _ = fs::write(file, text);
    }
}

/// The command of this process; an error if a part is not UTF-8.
fn of_process() -> Result<Recorded, OsString> {
    let mut arguments = env::args_os().map(OsString::into_string);
    let program = arguments.next().unwrap_or_else(|| Ok(String::new()))?;
    let variables = env::vars_os().filter(|(name, _)| name != VARIABLE);
    let environment =
        variables.map(|(name, value)| Ok((name.into_string()?, value.into_string()?)));
    Ok(Recorded {
        program,
        arguments: arguments.collect::<Result<_, _>>()?,
        environment: environment.collect::<Result<_, OsString>>()?,
    })
}
