//! What the session process does for magics that measure nothing: changes its working directory, shows its
//! environment, runs scripts.

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::host::Host;

/// The working directory before the last change. A copy of the session process has a copy of this.
static BEFORE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Changes the working directory. `-` stands for the directory before, `~` for the home directory. Returns the new
/// directory.
///
/// # Errors
///
/// If there is no such directory; the error is a message.
pub(crate) fn change_directory(to: &str) -> Result<PathBuf, String> {
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = || env::home_dir().ok_or("the home directory is unknown");
    let target = match (to, to.strip_prefix("~/")) {
        ("-", _) => before.clone().ok_or("there is no directory before")?,
        ("~", _) => home()?,
        (_, Some(rest)) => home()?.join(rest),
        _ => PathBuf::from(to),
    };
    let now = env::current_dir();
    env::set_current_dir(&target)
        .map_err(|error| format!("cannot change to `{}`: {error}", target.display()))?;
    *before = now.ok();
    Ok(env::current_dir().unwrap_or(target))
}

/// The environment, one variable a line, sorted by name.
pub(crate) fn environment() -> String {
    let mut variables: Vec<_> = env::vars_os().collect();
    variables.sort();
    let line = |(name, value): &(std::ffi::OsString, std::ffi::OsString)| {
        let name = name.to_string_lossy();
        if is_secret(&name) {
            format!("{name}=<hidden>\n")
        } else {
            format!("{name}={}\n", value.to_string_lossy())
        }
    };
    variables.iter().map(line).collect()
}

/// Whether a variable of this name is likely to hold a secret, which a notebook should not show.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["key", "token", "secret"]
        .iter()
        .any(|word| name.contains(word))
}

/// A script for a program that takes `-c SCRIPT`.
pub(crate) struct Script<'a> {
    /// What errors call the script.
    pub(crate) name: &'a str,
    pub(crate) program: &'a str,
    pub(crate) text: &'a str,
}

impl Script<'_> {
    /// Runs the script, with the output of the cell and without input.
    ///
    /// # Errors
    ///
    /// If the program cannot be started, or fails and `checked`; the error is a message.
    pub(crate) fn run(&self, host: &Host, checked: bool) -> Result<(), String> {
        let Self {
            name,
            program,
            text,
        } = self;
        host.flush_output();
        let status = Command::new(program)
            .args(["-c", text])
            .stdin(Stdio::null())
            .status()
            .map_err(|error| format!("cannot run `{program}`: {error}"))?;
        if status.success() || !checked {
            return Ok(());
        }
        Err(format!("`{name}` {}", ended(status)))
    }
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended early".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for name in ["API_KEY", "github_token", "CLIENT_SECRET_2"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["HOME", "PATH", "RUST_LOG"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
