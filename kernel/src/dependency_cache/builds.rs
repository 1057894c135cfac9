//! The directory in which a session builds, and what the cache and the session have of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::{DependencyCache, Lock};
use crate::cargo_settings;

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

/// What cargo is to build.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The number of crates that the session depends on; 0 if that is not known.
    pub(crate) crates: usize,
    /// A number for all units and for cargo's settings, in all sessions the same.
    pub(crate) number: u64,
}

impl Plan {
    /// The name of the file with the hashes of the units.
    fn file(self) -> String {
        format!("units_{:016x}.json", self.number)
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Restored {
    /// A number for the manifest and the settings of the last time.
    manifest: u64,
    /// A number for the compiler and for cargo's settings.
    settings: u64,
    /// The names in the cache.
    units: BTreeSet<String>,
    plan: Plan,
}

impl Builds {
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self { directory }
    }

    /// Gives cargo what the cache has of the dependencies, if the manifest or a setting has changed. `plan`
    /// completes `Cargo.lock`.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written. cargo then compiles what is missing.
    pub(crate) fn restore(&self, plan: impl FnOnce() -> io::Result<Plan>) -> io::Result<()> {
        let manifest = fs::read_to_string(self.directory.join("Cargo.toml"))?;
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let variables: BTreeMap<_, _> = env::vars_os()
            .filter(|(name, _)| is_setting(name))
            .collect();
        let files = cargo_settings::files().map(|file| fs::read(file).ok());
        let settings = hash((variables, files.collect::<Vec<_>>()));
        let manifest = hash((&manifest, settings));
        let mut restored = self.restored();
        if restored.manifest == manifest || dependencies.trim().is_empty() {
            return Ok(());
        }
        restored.manifest = manifest;
        restored.settings = hash((settings, compiler()?));
        // An incomplete file names some of the packages.
        restored.plan = plan().unwrap_or_default();
        restored.plan.number = hash((restored.plan.number, restored.settings));
        if let Some(cache) = DependencyCache::of_user() {
            let packages = Lock::read(&self.lock())?;
            let needed = self.needed(&cache, restored.plan);
            let given = cache.restore(
                &packages,
                &self.target(),
                needed.as_ref(),
                restored.settings,
            );
            restored.units.extend(given);
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
        let (built, all) = (built.parse().ok()?, self.restored().plan.crates);
        (built < all).then_some((built, all))
    }

    /// The hashes of the units that cargo has needed for the plan in another session.
    fn needed(&self, cache: &DependencyCache, plan: Plan) -> Option<BTreeSet<String>> {
        if !cache.restore_linked(&plan.file(), &self.target()) {
            return None;
        }
        let text = fs::read(self.target().join(plan.file())).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps the hashes of the units that cargo has needed, so that later sessions get these units and no
    /// others of the same packages.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub(crate) fn keep_needed(&self, hashes: &BTreeSet<String>) -> io::Result<()> {
        let plan = self.restored().plan;
        let path = self.target().join(plan.file());
        let text = serde_json::to_vec(hashes)?;
        if plan.crates == 0 || fs::read(&path).is_ok_and(|known| known == text) {
            return Ok(());
        }
        fs::write(path, text)?;
        DependencyCache::of_user().map_or(Ok(()), |cache| {
            cache.keep_linked(&plan.file(), &self.target())
        })
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
        let restored = self.restored();
        cache.keep(&lock, &self.target(), &restored.units, restored.settings)
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

/// What the compiler says of itself: cargo looks at all of this text.
fn compiler() -> io::Result<Vec<u8>> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Ok(Command::new(rustc).arg("-vV").output()?.stdout)
}

/// Whether a variable of this name changes what cargo builds.
fn is_setting(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let of_cargo = ["CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_BUILD_"];
    of_cargo.iter().any(|start| name.starts_with(start)) || name == "RUSTFLAGS"
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
