//! Reads `Cargo.lock`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

/// The packages of a session. Versions of one name count as one package here: cargo tells them apart.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    /// Whether a version of the package is on this machine and may change.
    is_local: BTreeMap<String, bool>,
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
}

impl Lock {
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let file: File = toml::from_str(&fs::read_to_string(path)?).map_err(io::Error::other)?;
        let mut lock = Self::default();
        for listed in file.package {
            let is_local = lock.is_local.entry(listed.name).or_default();
            *is_local |= listed.source.is_none();
        }
        Ok(lock)
    }

    /// The number of packages on this machine, with that of the cells.
    pub(crate) fn local(&self) -> usize {
        self.is_local.values().filter(|is_local| **is_local).count()
    }

    /// Whether all versions of the package come from a registry or a repository.
    pub(super) fn is_of_registry(&self, name: &str) -> bool {
        self.is_local.get(name) == Some(&false)
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
        assert_eq!(lock.local(), 2);
        assert!(!lock.is_of_registry("serde"));
        fs::write(file.path(), "no lock").unwrap();
        assert!(Lock::read(file.path()).is_err());
    }
}
