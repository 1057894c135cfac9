//! The source of the standard library, as the analyser sees it.
//!
//! The analyser takes seconds to read the library, and cells run without it. The analyser therefore
//! reads a directory of this process: an empty one at first, and one with links to the crates of the
//! library once the session needs to complete a name or to infer a type. Left out are crates whose
//! names no notebook completes, which are more than half of the source: the tests, and the vendors'
//! intrinsics of `stdarch`.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The variable that tells rust-analyzer where the source is.
pub(crate) const VARIABLE: &str = "RUST_SRC_PATH";

/// The crates of the library that the analyser reads, and where it looks for them.
const CRATES: [(&str, &str); 8] = [
    ("alloc", "alloc"),
    ("core", "core"),
    ("panic_abort", "panic_abort"),
    ("panic_unwind", "panic_unwind"),
    ("proc_macro", "proc_macro"),
    ("std", "std"),
    ("std_detect", "stdarch/crates/std_detect"),
    ("unwind", "unwind"),
];

/// Without this directory, rust-analyzer looks for the source elsewhere.
const CORE: &str = "core";

/// The directory.
pub(crate) struct LibrarySource {
    directory: PathBuf,
}

impl LibrarySource {
    /// A directory, which may not exist yet.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Shows no source.
    pub(crate) fn hide(&self) -> io::Result<()> {
        self.clear()?;
        fs::create_dir_all(self.directory.join(CORE))
    }

    /// Whether no source is shown.
    pub(crate) fn is_hidden(&self) -> bool {
        let shown = CRATES.iter().filter(|(name, _)| *name != CORE);
        self.directory.join(CORE).is_dir()
            && !shown
                .map(|(_, place)| self.directory.join(place))
                .any(|link| link.exists())
    }

    /// Shows the source of a library. Without one, rust-analyzer asks rustup for the source.
    pub(crate) fn show(&self, library: Option<&Path>) -> io::Result<()> {
        self.clear()?;
        let Some(library) = library else {
            return Ok(());
        };
        for (name, place) in CRATES {
            let (source, link) = (library.join(name), self.directory.join(place));
            if source.is_dir() {
                fs::create_dir_all(link.with_file_name(""))?;
                symlink(source, link)?;
            }
        }
        Ok(())
    }

    fn clear(&self) -> io::Result<()> {
        // The supervisor of an earlier session may have removed the directory.
        let entries = fs::read_dir(&self.directory).into_iter().flatten();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_shown_and_hidden() {
        let library = tempfile::tempdir().unwrap();
        for name in ["core", "std", "std_detect", "stdarch", "coretests"] {
            fs::create_dir(library.path().join(name)).unwrap();
            fs::write(library.path().join(name).join("lib.rs"), name).unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        let shown = LibrarySource::at(directory.path().join("library"));
        shown.hide().unwrap();
        let read = |path: &str| fs::read_to_string(shown.directory.join(path)).ok();
        assert_eq!(read("core/lib.rs"), None);
        assert!(shown.is_hidden());
        shown.show(Some(library.path())).unwrap();
        assert!(!shown.is_hidden());
        assert_eq!(read("core/lib.rs").as_deref(), Some("core"));
        assert_eq!(
            read("stdarch/crates/std_detect/lib.rs").as_deref(),
            Some("std_detect")
        );
        assert_eq!(read("coretests/lib.rs"), None);
        shown.hide().unwrap();
        assert_eq!(read("core/lib.rs"), None);
        assert!(shown.directory.join(CORE).is_dir());
        fs::remove_dir_all(&shown.directory).unwrap();
        shown.hide().unwrap();
        assert_eq!(read("core/lib.rs"), None);
        shown.show(None).unwrap();
        assert!(!shown.is_hidden());
        assert!(!shown.directory.join(CORE).exists());
        // The links led to the source, which has to stay.
        assert!(library.path().join("core/lib.rs").exists());
    }
}
