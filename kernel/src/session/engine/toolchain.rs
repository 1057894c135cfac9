//! Explains errors that a broken or incomplete toolchain causes.

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
