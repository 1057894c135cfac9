//! The source of the standard library, as the analyser sees it.
//!
//! The analyser takes seconds to read the library, and cells run without it. The analyser therefore
//! reads a directory of this process: an empty one at first, and one with links to the crates of the
//! library once the session needs to complete a name or to infer a type. Left out are crates whose
//! names no notebook completes, which are more than half of the source: the tests, and the vendors'
//! intrinsics of `stdarch`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The variable that tells rust-analyzer where the source is.
pub(crate) const VARIABLE: &str = "RUST_SRC_PATH";

/// How the name of the directory starts.
const PREFIX: &str = "memit-library-";

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
    /// Creates the directory, for the process that has its path in [`VARIABLE`]. The directory shows
    /// no source.
    pub(crate) fn create() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        fs::create_dir(directory.path().join(CORE))?;
        let directory = directory.keep();
        Ok(Self { directory })
    }

    /// The directory of this process; `None` if the user has named another.
    pub(crate) fn of_process() -> Option<Self> {
        let directory = PathBuf::from(std::env::var_os(VARIABLE)?);
        is_ours(directory.as_os_str()).then_some(Self { directory })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    /// Removes the directory.
    pub(crate) fn remove(self) {
        let _ = fs::remove_dir_all(self.directory);
    }

    /// Shows no source.
    pub(crate) fn hide(&self) -> io::Result<()> {
        self.clear()?;
        fs::create_dir_all(self.directory.join(CORE))
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

/// Whether this value of [`VARIABLE`] is a directory that memit has created.
fn is_ours(value: &OsStr) -> bool {
    let name = Path::new(value).file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with(PREFIX))
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
        let shown = LibrarySource::create().unwrap();
        assert!(is_ours(shown.path().as_os_str()));
        let read = |path: &str| fs::read_to_string(shown.directory.join(path)).ok();
        assert_eq!(read("core/lib.rs"), None);
        shown.show(Some(library.path())).unwrap();
        assert_eq!(read("core/lib.rs").as_deref(), Some("core"));
        assert_eq!(
            read("stdarch/crates/std_detect/lib.rs").as_deref(),
            Some("std_detect")
        );
        assert_eq!(read("coretests/lib.rs"), None);
        shown.hide().unwrap();
        assert_eq!(read("core/lib.rs"), None);
        assert!(shown.directory.join(CORE).is_dir());
        fs::remove_dir_all(shown.path()).unwrap();
        shown.hide().unwrap();
        assert_eq!(read("core/lib.rs"), None);
        shown.show(None).unwrap();
        assert!(!shown.directory.join(CORE).exists());
        // The links led to the source, which has to stay.
        assert!(library.path().join("core/lib.rs").exists());
        shown.remove();
    }
}
