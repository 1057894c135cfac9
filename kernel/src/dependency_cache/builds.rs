//! The directory in which a session builds, and what the cache and the session have of each other.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DependencyCache, Lock};

/// The units that the cache has given to the session.
const RESTORED: &str = "target/memit-restored.json";
/// The number of these crates that are built.
const BUILT: &str = "target/memit-built";
/// A file that exists if cargo has compiled units that the cache may not have.
const COMPILED: &str = "target/memit-compiled";

/// The directory of the crate that evcxr builds.
pub(crate) struct Builds {
    directory: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
struct Restored {
    /// A number for the manifest of the last time.
    manifest: u64,
    units: BTreeSet<String>,
    /// The number of crates that the session depends on; 0 if that is not known.
    crates: usize,
}

impl Builds {
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self { directory }
    }

    /// Gives cargo what the cache has of the dependencies, if the manifest has changed. `plan` completes
    /// `Cargo.lock` and returns the number of crates that the session depends on.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written. cargo then compiles what is missing.
    pub(crate) fn restore(&self, plan: impl FnOnce() -> io::Result<usize>) -> io::Result<()> {
        let manifest = fs::read_to_string(self.directory.join("Cargo.toml"))?;
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        manifest.hash(&mut hasher);
        let manifest = hasher.finish();
        let mut restored = self.restored();
        if restored.manifest == manifest || dependencies.trim().is_empty() {
            return Ok(());
        }
        restored.manifest = manifest;
        // An incomplete file names some of the packages.
        restored.crates = plan().unwrap_or_default();
        if let Some(cache) = DependencyCache::of_user() {
            let packages = Lock::read(&self.lock())?;
            restored
                .units
                .extend(cache.restore(&packages, &self.target()));
        }
        fs::create_dir_all(self.target())?;
        fs::write(
            self.directory.join(RESTORED),
            serde_json::to_vec(&restored)?,
        )
    }

    /// Notes the number of crates that are built.
    pub(crate) fn note_built(&self, crates: usize) {
        let _ = fs::write(self.directory.join(BUILT), crates.to_string());
    }

    /// The number of crates that are built, and of those that the session depends on; `None` if that is
    /// not known.
    pub(crate) fn progress(&self) -> Option<(usize, usize)> {
        let built = fs::read_to_string(self.directory.join(BUILT)).ok()?;
        let (built, all) = (built.parse().ok()?, self.restored().crates);
        (built < all).then_some((built, all))
    }

    /// Notes that cargo has compiled dependencies.
    pub(crate) fn note_compiled(&self) {
        // Without the note, later sessions compile the dependencies, too.
        let _ = fs::write(self.directory.join(COMPILED), "");
    }

    /// Whether cargo has compiled dependencies since the last call.
    pub(crate) fn take_compiled(&self) -> bool {
        fs::remove_file(self.directory.join(COMPILED)).is_ok()
    }

    /// Keeps what cargo has compiled for later sessions.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written. Other sessions never see a part of a unit.
    pub(crate) fn keep(&self, cache: &DependencyCache) -> io::Result<()> {
        let lock = Lock::read(&self.lock())?;
        cache.keep(&lock, &self.target(), &self.restored().units)
    }

    fn restored(&self) -> Restored {
        let text = fs::read(self.directory.join(RESTORED));
        let restored = text
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        restored.unwrap_or_default()
    }

    fn lock(&self) -> PathBuf {
        self.directory.join("Cargo.lock")
    }

    fn target(&self) -> PathBuf {
        self.directory.join("target")
    }
}
