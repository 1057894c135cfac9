//! Explains errors that a broken or incomplete toolchain causes.

use std::path::Path;
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
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    output
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .is_none_or(|sysroot| {
            Path::new(sysroot.trim())
                .join("lib/rustlib/src/rust/library")
                .is_dir()
        })
}
