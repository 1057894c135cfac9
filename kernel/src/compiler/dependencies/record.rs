//! The libraries of a session, and which of them each set of dependencies has, in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::contents::Crate;
use super::library::Library;
use super::request::Request;

const FILE: &str = "record.json";

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// In the order in which they were compiled.
    libraries: Vec<Library>,
    sets: BTreeMap<u64, Set>,
    /// The set of the last cell in a session with dependencies.
    last: Option<u64>,
}

/// How a set of dependencies is linked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Set {
    /// The names of the libraries that all cells share, each behind those that it lies on.
    pub(super) libraries: Vec<String>,
    /// Dependencies that are linked into each cell, with the reasons.
    pub(super) separate: BTreeMap<String, String>,
    /// Whether a type of the crates may display itself.
    pub(super) displays: bool,
}

impl Set {
    pub(super) fn shared(libraries: Vec<String>) -> Self {
        Self {
            libraries,
            ..Self::default()
        }
    }

    pub(super) fn separate(request: &Request, reason: &str) -> Self {
        let names = request.dependencies.keys();
        let separate = names.map(|name| (name.clone(), reason.to_owned()));
        Self {
            separate: separate.collect(),
            ..Self::default()
        }
    }

    /// Adds another set.
    pub(super) fn add(&mut self, other: Self) {
        for library in other.libraries {
            if !self.libraries.contains(&library) {
                self.libraries.push(library);
            }
        }
        self.separate.extend(other.separate);
    }
}

impl Record {
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        match fs::read(directory.join(FILE)) {
            Ok(json) => Ok(serde_json::from_slice(&json)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the file as a whole, even if this process is ended.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let incomplete = directory.join("record.incomplete");
        fs::write(&incomplete, serde_json::to_vec(self)?)?;
        fs::rename(incomplete, directory.join(FILE))
    }

    pub(super) fn set(&self, key: u64) -> Option<&Set> {
        self.sets.get(&key)
    }

    pub(super) fn insert(&mut self, key: u64, set: Set) {
        self.sets.insert(key, set);
    }

    /// The set of the last cell, if a cell has used it.
    pub(super) fn last(&self) -> Option<&Set> {
        self.set(self.last?)
    }

    /// Notes the set of a cell; true if the cell before had another.
    pub(super) fn use_set(&mut self, key: u64) -> bool {
        self.last.replace(key) != Some(key)
    }

    pub(super) fn add(&mut self, library: Library) {
        self.libraries.push(library);
    }

    /// The libraries that hold any of these crates, each behind the libraries that it lies on. No
    /// crate of them has changed, and none is in two of them.
    pub(super) fn with_any_of(&self, crates: &[Crate]) -> Vec<Library> {
        let mut wanted = BTreeSet::new();
        for library in self.libraries.iter().rev() {
            let holds_any = || library.crates().iter().any(|each| crates.contains(each));
            if self.is_unchanged(library) && (wanted.contains(library.name()) || holds_any()) {
                wanted.insert(library.name());
                wanted.extend(library.below().iter().map(String::as_str));
            }
        }
        let is_wanted = |library: &&Library| wanted.contains(library.name());
        self.libraries.iter().filter(is_wanted).cloned().collect()
    }

    /// Whether all crates of the library and of those below are as they were.
    fn is_unchanged(&self, library: &Library) -> bool {
        library.crates().iter().all(Crate::is_unchanged)
            && library.below().iter().all(|below| {
                let mut libraries = self.libraries.iter();
                let found = libraries.find(|other| other.name() == below);
                found.is_some_and(|below| self.is_unchanged(below))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_counts_while_its_crates_are_as_they_were() {
        let directory = tempfile::tempdir().unwrap();
        let a_crate = |name: &str, text: &str| {
            let file = directory.path().join(name);
            fs::write(&file, text).unwrap();
            Crate::at(file).unwrap()
        };
        let [log, mine, rayon] = ["log", "mine", "rayon"].map(|name| a_crate(name, ""));
        let mut record = Record::default();
        record.add(Library::of("first", vec![log.clone()], &[]));
        record.add(Library::of("second", vec![mine.clone()], &["first"]));
        record.add(Library::of("third", vec![rayon.clone()], &[]));
        let with = |record: &Record, of: &[&Crate]| {
            let crates: Vec<_> = of.iter().map(|each| (*each).clone()).collect();
            let libraries = record.with_any_of(&crates);
            let names = libraries.iter().map(Library::name);
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(with(&record, &[&log]), "first");
        assert_eq!(with(&record, &[&mine]), "first second");
        assert_eq!(with(&record, &[&mine, &rayon]), "first second third");
        let changed = a_crate("mine", "changed");
        assert_eq!(with(&record, &[&log, &changed]), "first");
        assert_eq!(with(&record, &[&log, &mine]), "first");
        a_crate("log", "changed");
        assert_eq!(with(&record, &[&log, &mine, &rayon]), "third");
    }

    #[test]
    fn the_record_is_kept_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut record = Record::read(directory.path()).unwrap();
        assert_eq!(record.last(), None);
        let set = Set::shared(vec!["first".to_owned()]);
        record.insert(u64::MAX, set.clone());
        assert!(record.use_set(u64::MAX));
        let itself = Crate::at(directory.path()).unwrap();
        record.add(Library::of("first", vec![itself.clone()], &[]));
        record.write(directory.path()).unwrap();
        let mut record = Record::read(directory.path()).unwrap();
        assert_eq!(record.last(), Some(&set));
        assert_eq!(record.libraries[0].crates()[0].file, itself.file);
        assert!(!record.use_set(u64::MAX));
    }
}
