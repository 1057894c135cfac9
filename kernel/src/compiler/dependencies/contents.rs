//! The crates that rustc links for a set of dependencies: the dependencies, theirs, and so on.

use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use super::library;
use super::request::Request;
use crate::dependency_cache::DependencyCache;

/// A compiled crate, in the state in which its file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Crate {
    pub(super) file: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

impl Crate {
    pub(super) fn at(file: impl Into<PathBuf>) -> io::Result<Self> {
        let file = file.into();
        let metadata = fs::metadata(&file)?;
        Ok(Self {
            file,
            bytes: metadata.len(),
            modified: metadata.modified()?,
        })
    }

    /// Whether the file is as it was.
    pub(super) fn is_unchanged(&self) -> bool {
        Self::at(&self.file).is_ok_and(|now| now == *self)
    }

    /// Whether a type of the crate may display itself, by a method that evcxr calls.
    fn displays(&self) -> bool {
        let method = Regex::new("evcxr_display").expect("a valid expression");
        fs::read(&self.file).map_or(true, |bytes| method.is_match(&bytes))
    }

    /// Whether cargo has the source for good: from a registry or a commit. The source of any other
    /// crate may change.
    pub(super) fn is_fixed(&self) -> bool {
        // rustc writes the list of source files beside the crate.
        let name = self.file.file_stem().and_then(|name| name.to_str());
        let Some(name) = name.and_then(|name| name.strip_prefix("lib")) else {
            return false;
        };
        let list = self.file.with_file_name(format!("{name}.d"));
        let list = fs::read_to_string(list).unwrap_or_default();
        ["/registry/src/", "/git/checkouts/"]
            .iter()
            .any(|fixed| list.contains(fixed))
    }
}

/// The same number in all sessions: each session has the crate in a directory of its own. cargo gives
/// other names to other crates.
impl Hash for Crate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.file.file_name(), self.bytes, self.modified).hash(state);
    }
}

/// The crates that rustc links.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Contents {
    /// Those first that others depend on.
    pub(super) crates: Vec<Crate>,
    /// Whether a type of the crates may display itself.
    pub(super) displays: bool,
}

impl Contents {
    /// What rustc links for the dependencies. The error says why they cannot be linked.
    pub(super) fn of(
        request: &Request,
        directory: &Path,
        cache: Option<&DependencyCache>,
    ) -> Result<Self, String> {
        let name = format!("contents_{:016x}.json", request.key());
        if let Some(cache) = cache
            && let Some(known) = Self::known(request, directory, &name, cache)
        {
            return Ok(known);
        }
        let crates = linked(request, directory)?;
        let contents = Self {
            displays: crates.iter().any(Crate::displays),
            crates,
        };
        if let Some(cache) = cache
            && contents.crates.iter().all(Crate::is_fixed)
        {
            // A cache that cannot be written costs time.
            let _ = contents.keep(directory, &name, cache);
        }
        Ok(contents)
    }

    /// What an earlier session has found out, if the crates are those of that session.
    fn known(
        request: &Request,
        directory: &Path,
        name: &str,
        cache: &DependencyCache,
    ) -> Option<Self> {
        if !cache.restore_linked(name, directory) {
            return None;
        }
        let text = fs::read(directory.join(name)).ok()?;
        let mut contents: Self = serde_json::from_slice(&text).ok()?;
        for each in &mut contents.crates {
            let mut files = request.folders().map(|folder| folder.join(&each.file));
            let file = files.find(|file| file.exists())?;
            each.file = file;
            if !each.is_unchanged() {
                return None;
            }
        }
        Some(contents)
    }

    fn keep(&self, directory: &Path, name: &str, cache: &DependencyCache) -> io::Result<()> {
        let mut crates = self.crates.clone();
        for each in &mut crates {
            each.file = each.file.file_name().unwrap_or_default().into();
        }
        let displays = self.displays;
        let text = serde_json::to_vec(&Self { crates, displays })?;
        fs::write(directory.join(name), text)?;
        cache.keep_linked(name, directory)
    }
}

/// The crates, those first that others depend on. The error says why they cannot be linked.
fn linked(request: &Request, directory: &Path) -> Result<Vec<Crate>, String> {
    let asked = request.dependencies.values().enumerate();
    let asked = asked.map(|(number, each)| (format!("c{number}"), each.file.clone()));
    let asked: Vec<_> = asked.collect();
    let mut source = String::new();
    for (name, _) in &asked {
        let _ = writeln!(source, "extern crate {name} as _;");
    }
    let mut command = library::command(request, directory, "memit_contents", &source)
        .map_err(|error| error.to_string())?;
    for (name, file) in &asked {
        command
            .arg("--extern")
            .arg(format!("{name}={}", file.display()));
    }
    // rustc says what it passes to the linker, which need not link.
    command.args(["--print=link-args", "-Clinker=true"]);
    let linked = words(&library::output(command)?);
    let is_ours = |file: &Path| {
        let folder = file.parent();
        request.folders().any(|ours| folder == Some(ours))
    };
    let is_rlib = |file: &PathBuf| file.extension().is_some_and(|of| of == "rlib");
    let rlibs = linked.into_iter().map(PathBuf::from).filter(is_rlib);
    let rlibs = rlibs.filter(|file| is_ours(file));
    let crates =
        rlibs.map(|file| Crate::at(&file).map_err(|error| format!("{}: {error}", file.display())));
    let mut crates = crates.collect::<Result<Vec<_>, _>>()?;
    crates.reverse();
    Ok(crates)
}

/// The quoted words of a command, as rustc prints it.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = command.chars();
    while characters.by_ref().any(|c| c == '"') {
        let mut word = String::new();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                '\\' => word.extend(characters.next()),
                _ => word.push(character),
            }
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_quotes() {
        let command = r#"LC_ALL="C" PATH="/a:/b" "cc" "-Wl,-Bstatic" "/a b/\"q\"/lib\\.rlib""#;
        assert_eq!(
            words(command),
            ["C", "/a:/b", "cc", "-Wl,-Bstatic", r#"/a b/"q"/lib\.rlib"#]
        );
    }

    #[test]
    fn a_crate_of_a_registry_does_not_change() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = directory.path().join(name);
            fs::write(&file, text).unwrap();
            file
        };
        let log = Crate::at(put("liblog-1.rlib", "")).unwrap();
        put(
            "log-1.d",
            "log-1.d: /home/me/.cargo/registry/src/index/log/src/lib.rs\n",
        );
        let mine = put("libmine-1.rlib", "");
        put("mine-1.d", "mine-1.d: /home/me/mine/src/lib.rs\n");
        let before = Crate::at(&mine).unwrap();
        assert!(log.is_fixed() && !before.is_fixed());
        assert!(before.is_unchanged());
        fs::write(&mine, "longer").unwrap();
        assert!(!before.is_unchanged());
        fs::remove_file(&mine).unwrap();
        assert!(!before.is_unchanged());
    }
}
