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
//!     closures/NAME           the packages that the package NAME has needed, a name in each line
//! ```
//!
//! A unit appears under its name only when it is complete, so that several kernels can share the cache.

mod closures;
mod entry;
mod lock;
mod units;

pub(crate) use entry::Usage;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use closures::Closures;
use entry::Entry;
use lock::Lock;

/// The variable that bounds the cache, or turns the cache off.
pub(crate) const VARIABLE: &str = "MEMIT_CACHE";

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

    /// Puts what the cache has of the packages `names`, and of what they have needed, into the directory
    /// in which cargo builds. Returns the number of units.
    pub(crate) fn restore(&self, names: &[String], target: &Path) -> usize {
        let closures = Closures::new(&self.directory);
        let packages: BTreeSet<String> = names.iter().flat_map(|name| closures.of(name)).collect();
        let mut restored = 0;
        for entry in self.entries() {
            if !packages.contains(units::package(entry.name()))
                || units::is_in(target, entry.name())
            {
                continue;
            }
            match entry.restore(target) {
                Ok(()) => restored += 1,
                Err(error) => {
                    tracing::debug!("dependency cache: {}: {error}", entry.name());
                    units::remove(target, entry.name());
                    entry.remove();
                }
            }
        }
        restored
    }

    /// Keeps what cargo has built in `target` for the packages of `lock`, which is a `Cargo.lock`.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written. Other sessions never see a part of a unit.
    pub(crate) fn keep(&self, lock: &Path, target: &Path) -> io::Result<()> {
        let lock = Lock::read(lock)?;
        for unit in units::of(target)? {
            if lock.is_of_registry(units::package(&unit.name)) {
                self.entry(&unit.name).keep(target, &unit.files)?;
            }
        }
        Closures::new(&self.directory).keep(&lock)?;
        self.prune()
    }

    /// What the cache holds.
    pub(crate) fn usage(&self) -> Usage {
        self.entries().map(|entry| entry.usage()).sum()
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
    fn prune(&self) -> io::Result<()> {
        let mut entries: Vec<_> = self
            .entries()
            .map(|entry| (entry.last_used(), entry))
            .collect();
        let mut bytes: u64 = entries.iter().map(|(_, entry)| entry.usage().bytes).sum();
        entries.sort_by_key(|(used, _)| *used);
        for (_, entry) in entries {
            if bytes <= self.limit {
                break;
            }
            bytes -= entry.usage().bytes;
            entry.remove();
        }
        Ok(())
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let entries = fs::read_dir(self.units()).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| units::is_unit(name))
            .map(|name| self.entry(&name))
    }

    fn entry(&self, name: &str) -> Entry {
        Entry::new(self.units().join(name))
    }

    fn units(&self) -> PathBuf {
        self.directory.join("units")
    }
}
