//! One copy of each dependency in a session.
//!
//! cargo links the dependencies into each cell, so that each cell would have its own pool of
//! threads, logger or reactor. This module links them into a shared library instead, a crate of
//! type `dylib` that all cells are compiled against. rustc then takes from the library every crate
//! that is in the library, and what the library has loaded stays loaded.
//!
//! A library is never changed. When a dependency is added, a new library on top of the libraries
//! so far holds the crates that they do not have. A crate in another version or with other
//! features is another crate, which the new library holds, too. If the dependencies of a session
//! cannot be linked so, each cell is linked with a copy of its own, and `%session` says why.

mod archive;
mod contents;
mod library;
mod native;
mod record;
mod request;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::definitions::tokens;
use crate::dependency_cache::DependencyCache;
use contents::{Contents, Crate};
use library::{Layer, Library};
use record::{Record, Set};
use request::Request;

/// How the name of each library starts; a number follows.
const PREFIX: &str = "memit_dependencies_";

/// The directory of the libraries, in that of the session.
const DIRECTORY: &str = "dependencies";

/// Whether rustc compiles a library of dependencies under this name.
pub(crate) fn is_library(crate_name: &str) -> bool {
    crate_name.starts_with(PREFIX)
}

/// The dependencies of the last cell of which each cell has a copy of its own, with the reasons.
pub(crate) fn separate(session: &Path) -> BTreeMap<String, String> {
    let record = Record::read(&session.join(DIRECTORY)).unwrap_or_default();
    let last = record.last();
    last.map(|set| set.separate.clone()).unwrap_or_default()
}

/// Whether a type of the dependencies of the last cell may display itself; `None` if that is not known.
pub(crate) fn display(session: &Path) -> Option<bool> {
    let record = Record::read(&session.join(DIRECTORY)).ok()?;
    record.last().map(|set| set.displays)
}

/// The libraries that a cell is compiled against.
pub(super) struct Dependencies {
    directory: PathBuf,
    request: Request,
    libraries: Vec<String>,
    separate: BTreeMap<String, String>,
}

impl Dependencies {
    /// The libraries for a cell with this source, which are compiled first if need be. `None` if the
    /// cell uses no dependency, or if the dependencies cannot be linked so.
    pub(super) fn linked(
        session: &Path,
        rustc: &OsStr,
        arguments: &[String],
        source: &str,
    ) -> io::Result<Option<Self>> {
        let request = Request::of(rustc, arguments)?;
        let is_used = request.is_used(source);
        let directory = session.join(DIRECTORY);
        if request.dependencies.is_empty() && !directory.exists() {
            return Ok(None);
        }
        let mut record = Record::read(&directory)?;
        let key = request.key();
        let is_new = is_used && record.set(key).is_none();
        if is_new {
            let cache = DependencyCache::of_user();
            let set = share(&request, &directory, cache.as_ref(), &mut record);
            record.insert(key, set);
        }
        if record.use_set(key) || is_new {
            record.write(&directory)?;
        }
        if !is_used {
            return Ok(None);
        }
        let set = record.set(key).filter(|set| !set.libraries.is_empty());
        Ok(set.map(|set| Self {
            libraries: set.libraries.clone(),
            separate: set.separate.clone(),
            directory,
            request,
        }))
    }

    /// A number for the copy of a dependency that all cells share; `None` if they share none.
    pub(super) fn copy_of(&self, name: &str) -> Option<u64> {
        let shared = self.request.dependencies.get(name);
        let shared = shared.filter(|_| !self.separate.contains_key(name));
        shared.map(tokens::hash)
    }

    /// The arguments by which rustc finds the libraries.
    pub(super) fn arguments(&self) -> Vec<String> {
        let directory = self.directory.display().to_string();
        library::arguments(&self.directory, &self.libraries, &directory)
    }

    /// Links a cell to the libraries, from the end of the source: no line of the user's moves.
    pub(super) fn named(&self, source: &str) -> String {
        source.to_owned() + "\n" + &library::named(&self.libraries)
    }

    /// Why a cell may not be linked to the libraries, if this output of rustc says so.
    pub(super) fn suspected(output: &Output) -> Option<String> {
        let messages = String::from_utf8_lossy(&output.stderr);
        let names_library = !output.status.success() && messages.contains(PREFIX);
        names_library.then(|| library::reason(&messages))
    }

    /// Notes that cells cannot be linked to the libraries. Cells with these dependencies are linked
    /// with their own copies.
    pub(super) fn give_up(&self, reason: &str) -> io::Result<()> {
        let mut record = Record::read(&self.directory)?;
        let mut set = Set::separate(&self.request, reason);
        set.displays = true;
        record.insert(self.request.key(), set);
        record.write(&self.directory)
    }
}

/// Finds the libraries with the dependencies, and compiles those that are not there yet. If the
/// dependencies cannot all be linked, tries them one by one.
fn share(
    request: &Request,
    directory: &Path,
    cache: Option<&DependencyCache>,
    record: &mut Record,
) -> Set {
    let contents = Contents::of(request, directory, cache);
    let displays = contents.as_ref().map_or(true, |contents| contents.displays);
    let found =
        contents.and_then(|contents| libraries(contents.crates, request, directory, cache, record));
    let mut set = match found {
        Ok(libraries) => Set::shared(libraries),
        Err(reason) if request.dependencies.len() == 1 => Set::separate(request, &reason),
        Err(_) => {
            let mut set = Set::default();
            for one in request.one_by_one() {
                set.add(share(&one, directory, cache, record));
            }
            set
        }
    };
    set.displays = displays;
    set
}

/// The names of the libraries with the dependencies, each behind those that it lies on. Compiles
/// what is missing. The error says why that is impossible.
fn libraries(
    contents: Vec<Crate>,
    request: &Request,
    directory: &Path,
    cache: Option<&DependencyCache>,
    record: &mut Record,
) -> Result<Vec<String>, String> {
    let mut libraries = record.with_any_of(&contents);
    let held: Vec<_> = libraries
        .iter()
        .flat_map(Library::crates)
        .cloned()
        .collect();
    let missing = contents.into_iter().filter(|each| !held.contains(each));
    // Crates that can change under the session lie above those that cannot, so that a change
    // leaves the state of the latter alone.
    let (fixed, changeable): (Vec<_>, Vec<_>) = missing.partition(Crate::is_fixed);
    for crates in [fixed, changeable] {
        if crates.is_empty() {
            continue;
        }
        let below = libraries.iter().map(|each| each.name().to_owned());
        let layer = Layer {
            crates,
            below: below.collect(),
        };
        let library = layer.library(request, directory, cache)?;
        record.add(library.clone());
        libraries.push(library);
    }
    let names = libraries.iter().map(|each| each.name().to_owned());
    Ok(names.collect())
}
