//! What the places of Jupyter's data depend on.

use std::ffi::OsString;
use std::path::PathBuf;

/// The operating system and the environment variables. Tests bring their own.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    /// Decides about the user's data directory.
    pub(super) system: System,
    /// Looks a variable up.
    pub(super) variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// The operating systems that Jupyter tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
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
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }
}
