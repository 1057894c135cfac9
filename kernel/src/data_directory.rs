//! The user's data directory of Jupyter, and the environment that decides where it is.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// The operating system and the environment variables, which tests replace.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    /// Decides where the data directory is.
    pub(crate) system: System,
    /// Looks up a variable.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// The operating systems that Jupyter distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
}

impl Environment<'static> {
    /// The environment of this process.
    pub(crate) fn of_process() -> Self {
        let system = if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::MacOs
        } else {
            System::Linux
        };
        Self {
            system,
            variable: &|name| std::env::var_os(name),
        }
    }
}

impl Environment<'_> {
    /// The path in a variable; `None` if the variable is unset or empty, which Jupyter treats
    /// alike.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }
}

/// The user's data directory of Jupyter, by the rules of `jupyter_core.paths.jupyter_data_dir`.
///
/// # Errors
///
/// If the variable that should name the directory is not set; the error names the variable.
pub(crate) fn user_data(environment: &Environment<'_>) -> anyhow::Result<PathBuf> {
    if let Some(directory) = environment.path("JUPYTER_DATA_DIR") {
        return Ok(directory);
    }
    let home = |below: &str| {
        let home = environment.path("HOME").context("HOME is not set")?;
        anyhow::Ok(home.join(below))
    };
    match environment.system {
        System::Linux => match environment.path("XDG_DATA_HOME") {
            Some(data) => Ok(data.join("jupyter")),
            None => home(".local/share/jupyter"),
        },
        System::MacOs => home("Library/Jupyter"),
        System::Windows => match environment.path("APPDATA") {
            Some(data) => Ok(data.join("jupyter")),
            None => bail!("APPDATA is not set"),
        },
    }
}
