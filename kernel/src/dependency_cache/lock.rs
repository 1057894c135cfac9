//! Reads `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

/// The packages of a session. Versions of one name count as one package here: cargo tells them apart.
#[derive(Debug, Default)]
pub(super) struct Lock {
    packages: BTreeMap<String, Package>,
}

#[derive(Debug, Default)]
struct Package {
    needs: BTreeSet<String>,
    /// Whether a version of the package is on this machine and may change.
    is_local: bool,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    package: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    source: Option<String>,
    /// Each is a name, which a version and a source may follow.
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Lock {
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let file: File = toml::from_str(&fs::read_to_string(path)?).map_err(io::Error::other)?;
        let mut lock = Self::default();
        for listed in file.package {
            let package = lock.packages.entry(listed.name).or_default();
            package.is_local |= listed.source.is_none();
            let name = |dependency: &String| dependency.split(' ').next().map(str::to_owned);
            package
                .needs
                .extend(listed.dependencies.iter().filter_map(name));
        }
        Ok(lock)
    }

    /// The packages that the packages of this machine need: those of the notebook, and of its own crates.
    pub(super) fn direct(&self) -> BTreeSet<&str> {
        let local = self.packages.values().filter(|package| package.is_local);
        let needed = local.flat_map(|package| &package.needs);
        needed.map(String::as_str).collect()
    }

    /// The package and all that it needs.
    pub(super) fn closure<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut closure = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            if closure.insert(name)
                && let Some(package) = self.packages.get(name)
            {
                open.extend(package.needs.iter().map(String::as_str));
            }
        }
        closure
    }

    /// Whether all versions of the package come from a registry or a repository.
    pub(super) fn is_of_registry(&self, name: &str) -> bool {
        self.packages
            .get(name)
            .is_some_and(|package| !package.is_local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "ctx"
version = "1.0.0"
dependencies = ["mine", "rayon"]

[[package]]
name = "mine"
version = "0.1.0"
dependencies = ["either 1.19.0"]

[[package]]
name = "rayon"
version = "1.12.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
dependencies = ["either 1.19.0", "rayon-core"]

[[package]]
name = "rayon-core"
version = "1.13.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "either"
version = "1.19.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
"#;

    #[test]
    fn packages_of_this_machine_are_told_apart() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), LOCK).unwrap();
        let lock = Lock::read(file.path()).unwrap();
        assert!(lock.is_of_registry("rayon"));
        assert!(!lock.is_of_registry("mine"));
        assert!(!lock.is_of_registry("serde"));
        let direct: Vec<_> = lock.direct().into_iter().collect();
        assert_eq!(direct, ["either", "mine", "rayon"]);
        let closure: Vec<_> = lock.closure("rayon").into_iter().collect();
        assert_eq!(closure, ["either", "rayon", "rayon-core"]);
        fs::write(file.path(), "no lock").unwrap();
        assert!(Lock::read(file.path()).is_err());
    }
}
