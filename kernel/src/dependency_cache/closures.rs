//! The packages that a package has needed in earlier sessions.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::Lock;

/// A file of names for each package that a session has depended on.
pub(super) struct Closures {
    directory: PathBuf,
}

impl Closures {
    pub(super) fn new(cache: &Path) -> Self {
        let directory = cache.join("closures");
        Self { directory }
    }

    /// The names of the package itself, and of all that it has needed.
    pub(super) fn of(&self, name: &str) -> BTreeSet<String> {
        let needed = fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        let needed = needed.lines().map(str::to_owned);
        needed.chain([name.to_owned()]).collect()
    }

    /// Adds what the packages of a session need.
    pub(super) fn keep(&self, lock: &Lock) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        for name in lock.direct() {
            let before = self.of(name);
            let mut all = before.clone();
            all.extend(lock.closure(name).into_iter().map(str::to_owned));
            let path = self.directory.join(name);
            if all != before || !path.exists() {
                let lines: String = all.iter().map(|name| format!("{name}\n")).collect();
                let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
                io::Write::write_all(&mut file, lines.as_bytes())?;
                file.persist(path)?;
            }
        }
        Ok(())
    }
}
