//! What magics do to the surroundings of the session process: its working directory, its environment, and
//! the programs that it starts.

use std::env::{self, VarError};
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Debug, Display, Formatter};
use std::io::Write as _;
use std::process::{Command, ExitStatus, Stdio};

use crate::print_at_once;

/// The directory before the last change, as shells keep it.
const LAST: &str = "OLDPWD";
const CURRENT: &str = "PWD";

/// What a magic could not do, in the words that the user reads.
pub struct Refusal(String);

impl Refusal {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
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
    let target = match to {
        "-" => {
            env::var_os(LAST).ok_or_else(|| Refusal("there is no directory before".to_owned()))?
        }
        "~" => home()?,
        _ => match to.strip_prefix("~/") {
            Some(rest) => {
                let mut path = home()?;
                path.push("/");
                path.push(rest);
                path
            }
            None => to.into(),
        },
    };
    let before = env::current_dir();
    env::set_current_dir(&target)
        .map_err(|error| Refusal(format!("cannot change to `{}`: {error}", target.display())))?;
    if let Ok(before) = before {
        set_variable(LAST, before.as_os_str());
    }
    if let Ok(now) = env::current_dir() {
        set_variable(CURRENT, now.as_os_str());
        if !quiet {
            print_at_once(format_args!("{}\n", now.display()));
        }
    }
    Ok(())
}

fn home() -> Result<OsString, Refusal> {
    env::var_os("HOME").ok_or_else(|| Refusal("`HOME` is not set".to_owned()))
}

/// The environment, one variable a line, sorted by name.
pub struct Environment(Vec<(OsString, OsString)>);

/// All variables of the environment.
pub fn environment() -> Environment {
    let mut variables: Vec<_> = env::vars_os().collect();
    variables.sort();
    Environment(variables)
}

impl Debug for Environment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, (name, value)) in self.0.iter().enumerate() {
            let name = name.display();
            if number > 0 {
                f.write_str("\n")?;
            }
            if is_secret(&name.to_string()) {
                write!(f, "{name}=<hidden>")?;
            } else {
                write!(f, "{name}={}", value.display())?;
            }
        }
        Ok(())
    }
}

/// Whether a variable of this name is likely to hold a secret, which a notebook should not show.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["key", "token", "secret"]
        .iter()
        .any(|word| name.contains(word))
}

/// The value of a variable of the environment.
///
/// # Errors
///
/// If the variable is not set, or is no text.
pub fn environment_variable(name: &str) -> Result<String, Refusal> {
    env::var(name).map_err(|error| {
        Refusal(match error {
            VarError::NotPresent => format!("the environment has no variable `{name}`"),
            VarError::NotUnicode(_) => format!("the value of `{name}` is no text"),
        })
    })
}

/// Sets a variable of the environment, whose name and value a magic has checked.
pub fn set_environment_variable(name: &str, value: &str) {
    set_variable(name, value.as_ref());
    print_at_once(format_args!("env: {name}={value}\n"));
}

fn set_variable(name: &str, value: &OsStr) {
    // SAFETY: the user asks for the change. Rust code of the session reads the environment under the same
    // lock; code in C that reads the environment in another thread at this moment is the user's to avoid, as
    // with `set_var` in a cell.
    unsafe { env::set_var(name, value) };
}

/// Runs a script by a program that takes `-c SCRIPT`. The script has the output of the cell, and no
/// input. The error calls the script by this name.
///
/// # Errors
///
/// If the program cannot be started, or fails and `checked`.
pub fn run_script(name: &str, program: &str, script: &str, checked: bool) -> Result<(), Refusal> {
    let _ = std::io::stdout().flush();
    let status = Command::new(program)
        .args(["-c", script])
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Refusal(format!("cannot run `{program}`: {error}")))?;
    if status.success() || !checked {
        return Ok(());
    }
    Err(Refusal(format!("`{name}` {}", ended(status))))
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended early".to_owned(),
    }
}
