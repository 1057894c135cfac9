//! Explains errors that a broken or incomplete toolchain causes.

use std::path::PathBuf;
use std::process::Command;

/// Adds to the error of a failed start what is wrong with the toolchain, if anything.
pub(super) fn explained(error: anyhow::Error) -> anyhow::Error {
    for program in ["rustc", "cargo"] {
        let problem = match Command::new(program).arg("--version").output() {
            Ok(output) if output.status.success() => continue,
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                format!(
                    "`{program} --version` says: {}",
                    said.lines().next().unwrap_or("")
                )
            }
            Err(cause) => format!("`{program}` cannot be started: {cause}"),
        };
        return error.context(format!(
            "no working Rust toolchain ({problem}). Install one from https://rustup.rs"
        ));
    }
    error
}

/// Whether the toolchain has the component `rust-src`; true if that cannot be determined.
pub(super) fn has_library_source() -> bool {
    sysroot().is_none_or(|sysroot| sysroot.join(LIBRARY).is_dir())
}

/// The source of the toolchain's standard library, if the toolchain has the component `rust-src`.
pub(super) fn library_source() -> Option<PathBuf> {
    let library = sysroot()?.join(LIBRARY);
    library.is_dir().then_some(library)
}

/// Where `rust-src` puts the source of the library.
const LIBRARY: &str = "lib/rustlib/src/rust/library";

fn sysroot() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(output.ok()?.stdout).ok()?;
    Some(PathBuf::from(sysroot.trim()))
}
