//! Settings of cargo in the environment that would break the builds of cells.
//!
//! evcxr writes a manifest and sets `RUSTFLAGS`. These variables win over both: a cell that is built
//! to abort cannot be loaded, and a wrapper that caches does not know our stand-in for `rustc`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

const WRAPPERS_AND_FLAGS: &[&str] = &[
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
];

/// The profile of evcxr's manifest.
const PROFILE: &str = "CARGO_PROFILE_DEV_";

/// Removes the settings from the environment. A program cannot change its environment safely, so
/// the process starts its program anew if there are such settings. Called before anything else.
pub(crate) fn leave_out() {
    let variables = std::env::vars_os().map(|(name, _)| name);
    let harmful: Vec<OsString> = variables.filter(|name| is_harmful(name)).collect();
    if harmful.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    for name in &harmful {
        command.env_remove(name);
    }
    let error = command.exec();
    tracing::warn!("settings of cargo in the environment stay in force: {error}");
}

fn is_harmful(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    WRAPPERS_AND_FLAGS.contains(&name) || name.starts_with(PROFILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_break_cells_are_left_out() {
        let harmful = |name: &str| is_harmful(OsStr::new(name));
        assert!(harmful("CARGO_PROFILE_DEV_PANIC"));
        assert!(harmful("RUSTC_WRAPPER"));
        // evcxr sets `RUSTFLAGS` itself, and cells may read the other two.
        for name in ["RUSTFLAGS", "CARGO_HOME", "CARGO_PROFILE_RELEASE_PANIC"] {
            assert!(!harmful(name), "{name}");
        }
    }
}
