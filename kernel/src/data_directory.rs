//! Jupyter's data directory of the user, and what it depends on.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// The operating system and the environment variables. Tests bring their own.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    /// Decides about the user's data directory.
    pub(crate) system: System,
    /// Looks a variable up.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// The operating systems that Jupyter tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
}

impl Environment<'static> {
    /// That of this process.
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
    /// The path in a variable; `None` if it is not set or empty, which Jupyter takes as the same.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }
}

/// Jupyter's data directory of the user, by the rules of `jupyter_core.paths.jupyter_data_dir`.
///
/// # Errors
///
/// If the variable that should name it is not set; says which.
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
