//! Whether the analyser knows the standard library.
//!
//! Until somebody asks for completions or documentation, or the kernel has nothing else to do, the
//! analyser sees an empty library. `rustc` then names the types of variables.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Engine, toolchain};
use crate::library_source::LibrarySource;

/// The two levels of optimisation between which evcxr's manifest changes: a changed manifest makes the
/// analyser read the library anew. A variable of the environment says the level that cargo takes.
const LEVELS: [&str; 2] = ["2", "3"];

/// The state of the analyser.
pub(super) enum Analyser {
    /// The analyser knows no library.
    Asleep(LibrarySource),
    /// The analyser knows the library, or reads the library with the next source.
    Awake,
}

impl Analyser {
    /// The state in which a session starts. `link` will lead the supervisor to the library's directory, so
    /// that the directory does not outlive a kernel that is killed.
    pub(super) fn start(link: &Path) -> Self {
        let Some(library) = LibrarySource::of_process() else {
            return Self::Awake;
        };
        match library.hide().and_then(|()| symlink(library.path(), link)) {
            Ok(()) => Self::Asleep(library),
            Err(error) => {
                tracing::warn!("the analyser reads the library at once: {error}");
                Self::Awake
            }
        }
    }

    /// Whether the analyser can name types of the library.
    pub(super) fn is_awake(&self) -> bool {
        matches!(self, Self::Awake)
    }
}

impl Engine {
    /// Makes the analyser read the library with the next source.
    pub(super) fn wake_analyser(&mut self) {
        let Analyser::Asleep(library) = std::mem::replace(&mut self.analyser, Analyser::Awake)
        else {
            return;
        };
        if let Err(error) = library.show(toolchain::library_source().as_deref()) {
            tracing::warn!("the analyser does not know the library: {error}");
        }
        let manifest = self.builds().join("Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap_or_default();
        let is_other = |level: &&&str| !manifest.contains(&format!("opt-level = {level}\n"));
        let level = LEVELS.iter().find(is_other).unwrap_or(&LEVELS[0]);
        if let Err(error) = self.context.set_opt_level(level) {
            tracing::warn!("the analyser does not know the library: {error}");
        }
    }
}
