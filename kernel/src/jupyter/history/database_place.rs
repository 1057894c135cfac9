//! Where the database of the history is.

use std::path::PathBuf;

use crate::data_directory::{Environment, user_data};

/// The environment variable that can turn the history off.
const VARIABLE: &str = "MEMIT_HISTORY";

/// The place of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DatabasePlace {
    /// A file, which all kernels of a user share.
    File(PathBuf),
    /// In memory: the history has only this session, and ends with it.
    Memory,
}

impl DatabasePlace {
    /// `memit/history.sqlite` in Jupyter's data directory, unless `MEMIT_HISTORY` is `off`.
    pub(crate) fn of_user() -> Self {
        match std::env::var(VARIABLE).as_deref() {
            Ok("off") => return Self::Memory,
            Ok("" | "on") | Err(_) => {}
            Ok(other) => {
                tracing::warn!("{VARIABLE} is `{other}`; use `on` or `off`");
            }
        }
        user_data(&Environment::of_process())
            .inspect_err(|error| {
                tracing::warn!("the history is kept in memory only: {error}");
            })
            .map_or(Self::Memory, |data| {
                Self::File(data.join("memit/history.sqlite"))
            })
    }

    /// The path of the file, if any.
    pub(super) fn file(self) -> Option<PathBuf> {
        match self {
            Self::File(file) => Some(file),
            Self::Memory => None,
        }
    }
}
