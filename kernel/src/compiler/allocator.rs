//! Keeps cells from having an allocator of their own.
//!
//! A block that one cell allocates is freed by another cell, or by the standard library, which is a
//! library of its own: all have to use one allocator. Every cell is linked to a crate that names the
//! allocator of the standard library, so that rustc refuses a cell or a dependency that names another,
//! also by a macro.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, Command};

/// The name of the crate.
pub(crate) const NAME: &str = "memit_allocator";

pub(super) const SOURCE: &str = "\
#[global_allocator]
static SYSTEM: ::std::alloc::System = ::std::alloc::System;
";

/// Starts to compile the crate into a directory.
pub(super) fn compile(rustc: &OsStr, directory: &Path) -> io::Result<Child> {
    let source = directory.join("allocator.rs");
    std::fs::write(&source, SOURCE)?;
    Command::new(rustc)
        .args(["--edition=2024", "--crate-type=rlib", "--crate-name", NAME])
        .args(["-Copt-level=3", "-Cprefer-dynamic", "--out-dir"])
        .args([directory, &source])
        .spawn()
}

/// The arguments by which rustc finds the crate in its directory.
pub(super) fn arguments(directory: &Path) -> [String; 2] {
    let library = directory.join(format!("lib{NAME}.rlib"));
    let found_at = format!("{NAME}={}", library.display());
    ["--extern".to_owned(), found_at]
}

/// Links a cell to the crate, from the end of the source: no line of the user's moves.
pub(super) fn named(source: &str) -> String {
    format!("{source}\nextern crate {NAME} as _;\n")
}
