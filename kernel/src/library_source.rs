//! The source of the standard library, as rust-analyzer sees it.
//!
//! rust-analyzer takes seconds to read the library, and cells run without it. The rust-analyzer in evcxr therefore
//! reads an empty directory. The analyser, a process of its own, reads a directory with links to the crates of the
//! library. Left out are crates whose names no notebook completes, which are more than half of the source:
//! the tests, and the vendors' intrinsics of `stdarch`.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The source of the toolchain's library, if the toolchain has the component `rust-src`.
pub(crate) fn of_toolchain() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(output.ok()?.stdout).ok()?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    library.is_dir().then_some(library)
}

/// Makes a directory without source.
pub(crate) fn make_empty(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory.join(CORE))
}

/// Makes a directory with links to the source of a library, unless there is one.
pub(crate) fn link(directory: &Path, library: &Path) -> io::Result<()> {
    if directory.exists() {
        return Ok(());
    }
    for (name, place) in CRATES {
        let (source, link) = (library.join(name), directory.join(place));
        if source.is_dir() {
            fs::create_dir_all(link.with_file_name(""))?;
            symlink(source, link)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_linked_without_what_no_notebook_completes() {
        let library = tempfile::tempdir().unwrap();
        for name in ["core", "std", "std_detect", "stdarch", "coretests"] {
            fs::create_dir(library.path().join(name)).unwrap();
            fs::write(library.path().join(name).join("lib.rs"), name).unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        let [empty, linked] = ["empty", "linked"].map(|name| directory.path().join(name));
        make_empty(&empty).unwrap();
        assert!(empty.join(CORE).is_dir());
        assert!(!empty.join("core/lib.rs").exists());
        for _ in 0..2 {
            link(&linked, library.path()).unwrap();
        }
        let read = |path: &str| fs::read_to_string(linked.join(path)).ok();
        assert_eq!(read("core/lib.rs").as_deref(), Some("core"));
        let of_std_detect = read("stdarch/crates/std_detect/lib.rs");
        assert_eq!(of_std_detect.as_deref(), Some("std_detect"));
        assert_eq!(read("coretests/lib.rs"), None);
    }
}
