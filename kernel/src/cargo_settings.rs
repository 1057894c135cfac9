//! Settings of cargo for the builds of cells.
//!
//! evcxr writes a manifest and sets `RUSTFLAGS`. Variables of the environment win over both, and
//! cargo's configuration files win over the manifest. A cell that is built to abort cannot be loaded,
//! and a wrapper that caches does not know our stand-in for `rustc`. So the user's variables are left
//! out, and variables of ours win over the manifest and the files.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
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

/// The variable of the level of optimisation, which `:opt` changes.
pub(crate) const OPT_LEVEL: &str = "CARGO_PROFILE_DEV_OPT_LEVEL";

/// The level of release code.
pub(crate) const RELEASE: &str = "3";

/// The profile of release code, otherwise the manifest of evcxr again, and cargo's defaults.
const PROFILE_AND_TERMINAL: &[(&str, &str)] = &[
    ("CARGO_BUILD_INCREMENTAL", "true"),
    ("CARGO_PROFILE_DEV_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_DEV_DEBUG", "false"),
    ("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false"),
    ("CARGO_PROFILE_DEV_INCREMENTAL", "true"),
    ("CARGO_PROFILE_DEV_LTO", "false"),
    (OPT_LEVEL, RELEASE),
    ("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false"),
    ("CARGO_PROFILE_DEV_PANIC", "unwind"),
    ("CARGO_PROFILE_DEV_RPATH", "true"),
    ("CARGO_PROFILE_DEV_STRIP", "debuginfo"),
    // The kernel reads what cargo prints.
    ("CARGO_TERM_COLOR", "never"),
    ("CARGO_TERM_VERBOSE", "false"),
];

/// An empty name means no wrapper. cargo asks `rustc` the same questions in each build if there is such
/// a variable.
const NO_WRAPPERS: &[(&str, &str)] = &[("RUSTC_WORKSPACE_WRAPPER", ""), ("RUSTC_WRAPPER", "")];

/// What cargo is to find in the environment of the kernel.
pub(crate) fn ours() -> impl Iterator<Item = (&'static str, &'static str)> {
    let wrappers = if files().any(|file| names_wrapper(&file)) {
        NO_WRAPPERS
    } else {
        &[]
    };
    // On a terminal, the kernel shows its own progress.
    let is_quiet = if std::io::stderr().is_terminal() {
        "true"
    } else {
        "false"
    };
    let settings = PROFILE_AND_TERMINAL.iter().chain(wrappers).copied();
    settings.chain([("CARGO_TERM_QUIET", is_quiet)])
}

/// Cargo's files that hold for the directory in which evcxr builds. The files may not exist.
pub(crate) fn files() -> impl Iterator<Item = PathBuf> {
    let home = users_home().map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let temporary = std::env::var_os("EVCXR_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let above: Vec<_> = temporary
        .ancestors()
        .map(|above| above.join(".cargo"))
        .collect();
    let directories = home.into_iter().chain(above);
    directories.flat_map(|directory| ["config.toml", "config"].map(|name| directory.join(name)))
}

/// The variable of cargo's directory. The analyser takes its cargo from there, so the kernel sets the
/// variable to the directory of the stand-in.
pub(crate) const HOME: &str = "CARGO_HOME";

/// The variable of the user's value of [`HOME`].
const USERS_HOME: &str = "MEMIT_USERS_CARGO_HOME";

/// The variable of the directory of the stand-ins.
pub(crate) const TOOLS: &str = "MEMIT_TOOLS";

/// How the name of that directory starts, for the process of a kernel.
pub(crate) fn tools_prefix(kernel: u32) -> String {
    format!("memit-tools-{kernel}-")
}

/// The user's value of [`HOME`].
fn users_home() -> Option<OsString> {
    let home = std::env::var_os(HOME);
    if home == std::env::var_os(TOOLS) {
        std::env::var_os(USERS_HOME)
    } else {
        home
    }
}

/// Gives a command of cargo or rustup the user's directory of cargo.
pub(crate) fn at_home(command: &mut Command) -> &mut Command {
    match users_home() {
        Some(home) => command.env(HOME, home),
        None => command.env_remove(HOME),
    }
}

fn names_wrapper(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.contains("wrapper")
}

/// Whether the user's variable of this name would break the builds of cells.
pub(crate) fn is_harmful(name: &OsStr) -> bool {
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

    #[test]
    fn a_file_may_name_a_wrapper() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.toml");
        assert!(!names_wrapper(&file));
        for (text, expected) in [
            ("[net]\noffline = true\n", false),
            ("[build]\nrustc-wrapper = \"sccache\"\n", true),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(names_wrapper(&file), expected, "{text}");
        }
    }
}
