//! The cache of compiled dependencies, which all sessions of a user share.
//!
//! A session builds its dependencies in a directory of its own, where cargo finds nothing. The cache
//! therefore puts the files that cargo has made for a package in another session back into that
//! directory, under the same names and with the same times, and cargo judges itself what is fresh: cargo's
//! names and fingerprints hold the version, the features, the profile, the flags and the compiler.
//! Packages of this machine, which may change, are not kept.
//!
//! cargo's name of a unit holds less than cargo's fingerprint: a nightly compiler, the linker, a variable that a
//! build script reads, and all flags if one of them is `--remap-path-prefix`, are in the fingerprint only. The cache
//! therefore keeps each state of a unit, and a session gets the state that was compiled under the session's
//! conditions. If there is none, the session gets the state that was used last.
//!
//! ```text
//! CACHE/memit/dependencies/
//!     units/NAME-HASH.STATE/  the files of one unit, in cargo's terms: a package, compiled in one way
//!         files.json            their paths, sizes and checksums
//!         conditions.json       compiler, settings and variables of the session that has compiled the unit
//!     linked/NAME/            what the stand-in for `rustc` has linked: a library of dependencies, or the
//!                             list of the crates or units that a set of dependencies needs, or the crates
//!                             of ours that all cells are linked to; files.json as above
//! ```
//!
//! A unit or a library appears under its name only when it is complete, so that several kernels can share
//! the cache. A session has links or copies of its own, so that the cache can be cleared at any time.

mod builds;
mod conditions;
mod entry;
mod lock;
#[cfg(test)]
mod tests;
mod units;

pub(crate) use builds::{Builds, Plan};
pub(crate) use lock::Lock;
pub(crate) use units::hashes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use conditions::Conditions;
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

/// What the cache holds.
#[derive(Debug)]
pub(crate) struct Usage {
    /// The bytes of all files.
    pub(crate) bytes: u64,
    /// The number of compiled packages.
    pub(crate) packages: usize,
    /// The number of linked libraries.
    pub(crate) libraries: usize,
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
    /// the names in the cache. `hashes` are those of the units that cargo needs, if they are known. `settings`
    /// is a number for the compiler and for cargo's settings.
    fn restore(
        &self,
        lock: &Lock,
        target: &Path,
        hashes: Option<&BTreeSet<String>>,
        settings: u64,
    ) -> Vec<String> {
        let is_needed = |name: &str| {
            hashes.is_none_or(|hashes| hashes.contains(&name[units::package(name).len() + 1..]))
        };
        let is_wanted = |entry: &Entry| {
            let name = entry.unit();
            lock.is_of_registry(units::package(name))
                && is_needed(name)
                && !units::is_in(target, name)
        };
        let mut entries: Vec<_> = self.units().filter(is_wanted).collect();
        entries.sort_by_cached_key(|entry| (entry.conditions().fit(settings), entry.last_used()));
        let states = entries.into_iter();
        // The last state of each unit stays.
        let best: BTreeMap<_, _> = states
            .map(|entry| (entry.unit().to_owned(), entry))
            .collect();
        let entries: Vec<_> = best.into_values().collect();
        let restore = |entry: &Entry| match entry.restore(target) {
            Ok(()) => Some(entry.name().to_owned()),
            Err(error) => {
                tracing::debug!("dependency cache: {}: {error}", entry.name());
                units::remove(target, entry.unit());
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

    /// Keeps what cargo has built in `target` for the packages of a session. `restored` are the names of what
    /// the cache has given to the session, `settings` is a number for the compiler and for cargo's settings.
    fn keep(
        &self,
        lock: &Lock,
        target: &Path,
        restored: &BTreeSet<String>,
        settings: u64,
    ) -> io::Result<()> {
        let mut units = units::of(target)?;
        units.retain(|unit| lock.is_of_registry(units::package(&unit.name)));
        let conditions = Conditions::of(settings, target, &units);
        for unit in units {
            let name = format!("{}.{:016x}", unit.name, unit.state(target)?);
            let entry = Entry::new(self.directory.join(UNITS).join(name));
            let is_given = restored.contains(entry.name());
            // Another session has compiled the same. A newer file would make cargo compile again what
            // that session has compiled against the file.
            let is_new =
                (is_given || !entry.is_same(target, &unit)) && entry.keep(target, &unit.files)?;
            // Of what the cache has given, the session may have needed nothing.
            if is_new || !is_given {
                entry.note(&conditions)?;
            }
        }
        self.prune();
        Ok(())
    }

    /// Puts the linked files `name` into `directory`. Returns whether the cache has the files.
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
        self.keep_all_linked(name, directory, &[PathBuf::from(name)])
    }

    /// Keeps linked files, which are in `directory`, under one name.
    ///
    /// # Errors
    ///
    /// As [`Self::keep_linked`].
    pub(crate) fn keep_all_linked(
        &self,
        name: &str,
        directory: &Path,
        files: &[PathBuf],
    ) -> io::Result<()> {
        self.linked(name).keep(directory, files)?;
        self.prune();
        Ok(())
    }

    /// Removes the linked file `name`.
    pub(crate) fn remove_linked(&self, name: &str) {
        self.linked(name).remove();
    }

    /// What the cache holds.
    pub(crate) fn usage(&self) -> Usage {
        let linked = self.entries(LINKED);
        Usage {
            bytes: bytes(&self.directory),
            packages: self.units().count(),
            libraries: linked.filter(|entry| is_library(entry.name())).count(),
        }
    }

    /// Removes everything.
    ///
    /// # Errors
    ///
    /// If a file cannot be removed.
    pub(crate) fn clear(&self) -> io::Result<()> {
        loop {
            let Err(error) = fs::remove_dir_all(&self.directory) else {
                return Ok(());
            };
            match error.kind() {
                io::ErrorKind::NotFound => return Ok(()),
                // A kernel has kept something meanwhile.
                io::ErrorKind::DirectoryNotEmpty => {}
                _ => return Err(error),
            }
        }
    }

    /// Removes the entries that were used least recently, until the rest is within the limit.
    fn prune(&self) {
        for of in [UNITS, LINKED] {
            entry::remove_remains(&self.directory.join(of));
        }
        let mut held = bytes(&self.directory);
        if held <= self.limit {
            return;
        }
        let entries = [UNITS, LINKED].map(|of| self.entries(of));
        let mut entries: Vec<_> = entries.into_iter().flatten().collect();
        entries.sort_by_cached_key(Entry::last_used);
        for entry in entries {
            if held <= self.limit {
                break;
            }
            held = held.saturating_sub(bytes(entry.directory()));
            entry.remove();
        }
    }

    fn units(&self) -> impl Iterator<Item = Entry> {
        let entries = self.entries(UNITS);
        entries.filter(|entry| units::is_unit(entry.unit()))
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

/// The bytes of the files in a directory. Another kernel may remove files meanwhile.
fn bytes(directory: &Path) -> u64 {
    let files = units::files(directory, Path::new("")).unwrap_or_default();
    let lengths = files
        .iter()
        .filter_map(|file| fs::symlink_metadata(directory.join(file)).ok());
    lengths.map(|metadata| metadata.len()).sum()
}

/// Whether this is the name of a linked library.
fn is_library(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "so")
}
