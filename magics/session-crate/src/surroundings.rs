//! What magics do to the surroundings of the session process: its working directory, its environment, and
//! the scripts that it runs. Sessions compile this crate, so most of the work is done by the session process.

use std::env;
use std::fmt::{self, Debug, Display, Formatter};

use crate::abi::Text;
use crate::abi::entry_points::{memit_change_directory, memit_run_script};
use crate::print_at_once;

/// What a magic could not do, in the words that the user reads.
pub struct Refusal(String);

impl Refusal {
    pub(crate) fn unless_empty(text: Text<'_>) -> Result<(), Self> {
        match text.as_str() {
            "" => Ok(()),
            text => Err(Self(text.to_owned())),
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Debug for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Changes the working directory, and prints the new one unless `quiet`. `-` stands for the directory
/// before, `~` for the home directory.
///
/// # Errors
///
/// If there is no such directory.
pub fn change_directory(to: &str, quiet: bool) -> Result<(), Refusal> {
    Refusal::unless_empty(memit_change_directory(to.into(), quiet))
}

/// The value of a variable of the environment. What is no text in it is replaced.
///
/// # Errors
///
/// If the variable is not set.
pub fn environment_variable(name: &str) -> Result<String, Refusal> {
    match env::var_os(name) {
        Some(value) => Ok(value.to_string_lossy().into_owned()),
        None => Err(Refusal(
            ["the environment has no variable `", name, "`"].concat(),
        )),
    }
}

/// Sets a variable of the environment, whose name and value a magic has checked.
pub fn set_environment_variable(name: &str, value: &str) {
    // SAFETY: the user asks for the change. Rust code of the session reads the environment under the same
    // lock; code in C that reads the environment in another thread at this moment is the user's to avoid, as
    // with `set_var` in a cell.
    unsafe { env::set_var(name, value) };
    print_at_once(format_args!("env: {name}={value}\n"));
}

/// Runs a script by a program that takes `-c SCRIPT`. The script has the output of the cell, and no
/// input. The error calls the script by this name.
///
/// # Errors
///
/// If the program cannot be started, or fails and `checked`.
pub fn run_script(name: &str, program: &str, script: &str, checked: bool) -> Result<(), Refusal> {
    let report = memit_run_script(name.into(), program.into(), script.into(), checked);
    Refusal::unless_empty(report)
}
