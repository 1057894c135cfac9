//! Keeps the identity of the types that cells define.
//!
//! rustc derives the identity of a type from the name of its crate and from `-C metadata`. cargo
//! changes the metadata whenever a dependency is added, and variables of types that cells defined
//! would be lost. memit therefore keeps the metadata while every dependency has one version.
//!
//! The identity does not say what a type is made of: an edited definition, or the edited source of
//! a path dependency, can change the parts while the identity stays. `kept.rs` notices such edits.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Everything that was compiled with one `metadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub metadata: String,
    /// The compiler, which decides the memory layout of types.
    pub rustc: String,
    /// The files of the dependencies, by crate name.
    pub dependencies: BTreeMap<String, String>,
}

impl Identity {
    /// Adds the dependencies of `other` and returns true, unless they contradict this identity.
    fn include(&mut self, other: &Self) -> bool {
        let agrees = |(name, path): (&String, &String)| {
            self.dependencies
                .get(name)
                .is_none_or(|known| known == path)
        };
        let fits = self.rustc == other.rustc && other.dependencies.iter().all(agrees);
        if fits {
            self.dependencies.extend(other.dependencies.clone());
        }
        fits
    }
}

/// Chooses the metadata to use in place of cargo's.
fn choose(known: &mut Vec<Identity>, new: Identity) -> String {
    if let Some(fitting) = known
        .iter_mut()
        .find_map(|old| old.include(&new).then_some(old))
    {
        return fitting.metadata.clone();
    }
    let metadata = new.metadata.clone();
    known.push(new);
    metadata
}

/// Like [`choose`], with the known identities in a file.
pub(super) fn metadata(file: &Path, new: Identity) -> io::Result<String> {
    let mut known: Vec<Identity> = match fs::read(file) {
        Ok(json) => serde_json::from_slice(&json)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let before = known.clone();
    let metadata = choose(&mut known, new);
    if known != before {
        fs::write(file, serde_json::to_vec(&known)?)?;
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(metadata: &str, dependencies: &[(&str, &str)]) -> Identity {
        let owned = |(name, path): &(&str, &str)| (String::from(*name), String::from(*path));
        Identity {
            metadata: metadata.to_owned(),
            rustc: "rustc".to_owned(),
            dependencies: dependencies.iter().map(owned).collect(),
        }
    }

    #[test]
    fn a_new_dependency_changes_nothing() {
        let mut known = Vec::new();
        assert_eq!(choose(&mut known, identity("0", &[])), "0");
        assert_eq!(choose(&mut known, identity("1", &[("a", "a1")])), "0");
        assert_eq!(
            choose(&mut known, identity("2", &[("a", "a1"), ("b", "b1")])),
            "0"
        );
        // `%undo` removes dependencies again.
        assert_eq!(choose(&mut known, identity("1", &[("a", "a1")])), "0");
        assert_eq!(choose(&mut known, identity("0", &[])), "0");
    }

    #[test]
    fn another_version_of_a_dependency_is_another_identity() {
        let mut known = Vec::new();
        assert_eq!(choose(&mut known, identity("0", &[("a", "a1")])), "0");
        assert_eq!(choose(&mut known, identity("1", &[("a", "a2")])), "1");
        assert_eq!(
            choose(&mut known, identity("2", &[("a", "a2"), ("b", "b1")])),
            "1"
        );
        assert_eq!(choose(&mut known, identity("0", &[("a", "a1")])), "0");
    }

    #[test]
    fn another_compiler_is_another_identity() {
        let mut known = Vec::new();
        assert_eq!(choose(&mut known, identity("0", &[])), "0");
        let nightly = Identity {
            rustc: "nightly".to_owned(),
            ..identity("1", &[])
        };
        assert_eq!(choose(&mut known, nightly), "1");
    }

    #[test]
    fn known_identities_are_kept_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("identities.json");
        assert_eq!(metadata(&file, identity("0", &[])).unwrap(), "0");
        assert_eq!(metadata(&file, identity("1", &[("a", "a1")])).unwrap(), "0");
        assert_eq!(metadata(&file, identity("2", &[("a", "a2")])).unwrap(), "2");
    }
}
