//! The cache of compiled dependencies, which all sessions of a user share.
//!
//! A session builds its dependencies in a directory of its own, where cargo finds nothing. The cache
//! therefore puts the files that cargo has made for a package in another session back into that
//! directory, under the same names and with the same times, and cargo judges itself what is fresh: cargo's
//! names and fingerprints hold the version, the features, the profile, the flags and the compiler.
//! Packages of this machine, which may change, are not kept.
//!
//! ```text
//! CACHE/memit/dependencies/
//!     units/NAME-HASH/        the files of one unit, in cargo's terms: a package, compiled in one way
//!         files.json            their paths, sizes and checksums
//!     linked/NAME/            what the stand-in for `rustc` has linked: a library of dependencies, or the
//!                             list of the crates or units that a set of dependencies needs; files.json as
//!                             above
//! ```
//!
//! A unit or a library appears under its name only when it is complete, so that several kernels can share
//! the cache. A session has links or copies of its own, so that the cache can be cleared at any time.

mod builds;
mod entry;
mod lock;
mod units;

pub(crate) use builds::{Builds, Plan};
pub(crate) use entry::Usage;
pub(crate) use lock::Lock;
pub(crate) use units::hashes;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use entry::Entry;

/// The variable that bounds the cache, or turns the cache off.
pub(crate) const VARIABLE: &str = "MEMIT_CACHE";

/// The directories of the entries.
const UNITS: &str = "units";
const LINKED: &str = "linked";

/// The bound of a user who has chosen none.
const DEFAULT_LIMIT: u64 = 5 << 30;

/// The cache.
#[derive(Debug, Clone)]
pub(crate) struct DependencyCache {
    directory: PathBuf,
    /// The most bytes of the cache.
    limit: u64,
}

impl DependencyCache {
    /// The cache of the user; `None` if the user has turned the cache off or has no such directory.
    pub(crate) fn of_user() -> Option<Self> {
        let limit = match std::env::var(VARIABLE) {
            Ok(text) if text.trim() == "off" => return None,
            Ok(text) => text
                .trim()
                .parse::<u64>()
                .map_or(DEFAULT_LIMIT, |gib| gib << 30),
            Err(_) => DEFAULT_LIMIT,
        };
        let directory = dirs::cache_dir()?.join("memit/dependencies");
        Some(Self { directory, limit })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Puts what the cache has of the packages of a session into the directory in which cargo builds. Returns
    /// the names of the units. `hashes` are those of the units that cargo needs, if they are known.
    fn restore(
        &self,
        lock: &Lock,
        target: &Path,
        hashes: Option<&BTreeSet<String>>,
    ) -> Vec<String> {
        let is_needed = |name: &str| {
            hashes.is_none_or(|hashes| hashes.contains(&name[units::package(name).len() + 1..]))
        };
        let is_wanted = |entry: &Entry| {
            let name = entry.name();
            lock.is_of_registry(units::package(name))
                && is_needed(name)
                && !units::is_in(target, name)
        };
        let entries: Vec<_> = self.units().filter(is_wanted).collect();
        let restore = |entry: &Entry| match entry.restore(target) {
            Ok(()) => Some(entry.name().to_owned()),
            Err(error) => {
                tracing::debug!("dependency cache: {}: {error}", entry.name());
                units::remove(target, entry.name());
                entry.remove();
                None
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let part = entries.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let parts = entries.chunks(part);
            let parts: Vec<_> = parts
                .map(|part| scope.spawn(|| part.iter().filter_map(restore).collect::<Vec<_>>()))
                .collect();
            let restored = parts.into_iter().filter_map(|part| part.join().ok());
            restored.flatten().collect()
        })
    }

    /// Keeps what cargo has built in `target` for the packages of a session. `restored` are the units that
    /// the cache has given to the session.
    fn keep(&self, lock: &Lock, target: &Path, restored: &BTreeSet<String>) -> io::Result<()> {
        for unit in units::of(target)? {
            if !lock.is_of_registry(units::package(&unit.name)) {
                continue;
            }
            let entry = Entry::new(self.directory.join(UNITS).join(&unit.name));
            // Another session has compiled the same. A newer file would make cargo compile again what
            // that session has compiled against the file.
            if restored.contains(&unit.name) || !entry.is_same(target, &unit) {
                entry.keep(target, &unit.files)?;
            }
        }
        self.prune();
        Ok(())
    }

    /// Puts the linked file `name` into `directory`. Returns whether the cache has the file.
    pub(crate) fn restore_linked(&self, name: &str, directory: &Path) -> bool {
        let entry = self.linked(name);
        match entry.restore(directory) {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!("dependency cache: {name}: {error}");
                entry.remove();
                false
            }
        }
    }

    /// Keeps the linked file `name`, which is in `directory`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written. Other sessions never see a part of the file.
    pub(crate) fn keep_linked(&self, name: &str, directory: &Path) -> io::Result<()> {
        self.linked(name).keep(directory, &[PathBuf::from(name)])?;
        self.prune();
        Ok(())
    }

    /// Removes the linked file `name`.
    pub(crate) fn remove_linked(&self, name: &str) {
        self.linked(name).remove();
    }

    /// What the compiled packages of the cache and the linked libraries take.
    pub(crate) fn usage(&self) -> [Usage; 2] {
        let libraries = self
            .entries(LINKED)
            .filter(|entry| is_library(entry.name()));
        [
            self.units().map(|entry| entry.usage()).sum(),
            libraries.map(|entry| entry.usage()).sum(),
        ]
    }

    /// Removes everything.
    ///
    /// # Errors
    ///
    /// If a file cannot be removed.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the units that were used least recently, until the rest is within the limit.
    fn prune(&self) {
        let mut entries = Vec::new();
        for of in [UNITS, LINKED] {
            entry::remove_remains(&self.directory.join(of));
            entries.extend(self.entries(of).map(|entry| (entry.last_used(), entry)));
        }
        let mut bytes: u64 = entries.iter().map(|(_, entry)| entry.usage().bytes).sum();
        entries.sort_by_key(|(used, _)| *used);
        for (_, entry) in entries {
            if bytes <= self.limit {
                break;
            }
            bytes -= entry.usage().bytes;
            entry.remove();
        }
    }

    fn units(&self) -> impl Iterator<Item = Entry> {
        let entries = self.entries(UNITS);
        entries.filter(|entry| units::is_unit(entry.name()))
    }

    fn linked(&self, name: &str) -> Entry {
        Entry::new(self.directory.join(LINKED).join(name))
    }

    /// The entries in a directory of the cache.
    fn entries(&self, of: &str) -> impl Iterator<Item = Entry> {
        let directory = self.directory.join(of);
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| !name.starts_with('.'))
            .map(move |name| Entry::new(directory.join(name)))
    }
}

/// Whether this is the name of a linked library.
fn is_library(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "so")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "dep-3cdf5f1596bded6a";

    /// A directory in which cargo has built a unit.
    fn built(fingerprint: &str, metadata: &str, code: &str) -> tempfile::TempDir {
        let target = tempfile::tempdir().unwrap();
        let files = [
            (format!("debug/.fingerprint/{UNIT}/lib-dep"), fingerprint),
            (format!("debug/deps/lib{UNIT}.rmeta"), metadata),
            (format!("debug/deps/lib{UNIT}.rlib"), code),
        ];
        for (file, text) in files {
            let path = target.path().join(file);
            fs::create_dir_all(path.with_file_name("")).unwrap();
            fs::write(path, text).unwrap();
        }
        target
    }

    #[test]
    fn a_unit_of_another_session_stays_unless_it_is_another_or_stale() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DependencyCache {
            directory: directory.path().to_owned(),
            limit: u64::MAX,
        };
        let lock = tempfile::NamedTempFile::new().unwrap();
        let text = "[[package]]\nname = \"dep\"\nversion = \"1.0.0\"\nsource = \"registry\"\n";
        fs::write(lock.path(), text).unwrap();
        let lock = Lock::read(lock.path()).unwrap();
        let kept = || {
            let entry = directory.path().join(UNITS).join(UNIT);
            fs::read_to_string(entry.join(format!("debug/deps/lib{UNIT}.rlib"))).unwrap()
        };
        let compile = |fingerprint, metadata, code, restored: &[&str]| {
            let restored = restored.iter().map(|&name| name.to_owned()).collect();
            let target = built(fingerprint, metadata, code);
            cache.keep(&lock, target.path(), &restored).unwrap();
            kept()
        };
        assert_eq!(compile("1", "m", "first", &[]), "first");
        // Another session has compiled the same at the same time.
        assert_eq!(compile("1", "m", "second", &[]), "first");
        // cargo has compiled again what the cache had given.
        assert_eq!(compile("1", "m", "third", &[UNIT]), "third");
        assert_eq!(compile("2", "m", "fourth", &[]), "fourth");
        assert_eq!(compile("2", "other", "fifth", &[]), "fifth");
        let target = tempfile::tempdir().unwrap();
        fs::create_dir_all(target.path().join("debug/.fingerprint")).unwrap();
        let restore = |hash: &str| {
            let hashes = BTreeSet::from([hash.to_owned()]);
            cache.restore(&lock, target.path(), Some(&hashes))
        };
        assert!(restore("0000000000000000").is_empty());
        assert_eq!(restore("3cdf5f1596bded6a"), [UNIT]);
        assert!(cache.restore(&lock, target.path(), None).is_empty());
    }
}
