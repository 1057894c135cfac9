//! Settings of the user's cargo that would break the builds of cells: a cell that is built to abort
//! cannot be loaded, and a wrapper that caches does not know our stand-in for `rustc`.
//!
//! evcxr writes a manifest and sets `RUSTFLAGS`. Variables of the environment win over both, and
//! cargo's configuration files win over the manifest. The variables are left out, and variables of
//! ours win over the files.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
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

/// What cargo finds in the environment of the kernel in place of the settings in its files: the
/// manifest of evcxr again, and cargo's defaults.
const INSTEAD_OF_FILES: &[(&str, &str)] = &[
    ("CARGO_BUILD_INCREMENTAL", "true"),
    ("CARGO_PROFILE_DEV_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_DEV_DEBUG", "false"),
    ("CARGO_PROFILE_DEV_INCREMENTAL", "true"),
    ("CARGO_PROFILE_DEV_LTO", "false"),
    ("CARGO_PROFILE_DEV_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_DEV_PANIC", "unwind"),
    ("CARGO_PROFILE_DEV_RPATH", "true"),
    ("CARGO_PROFILE_DEV_STRIP", "debuginfo"),
    // The kernel reads what cargo prints.
    ("CARGO_TERM_COLOR", "never"),
    ("CARGO_TERM_QUIET", "false"),
    ("CARGO_TERM_VERBOSE", "false"),
    // An empty name means no wrapper.
    ("RUSTC_WORKSPACE_WRAPPER", ""),
    ("RUSTC_WRAPPER", ""),
];

/// The tables and keys that [`INSTEAD_OF_FILES`] replaces.
const IN_FILES: &[&str] = &["profile", "wrapper", "incremental", "term"];

/// Removes the settings. A program cannot change its environment safely, so the process starts its
/// program anew if there are such settings. Called before anything else.
pub(crate) fn leave_out() {
    let is_set = |(name, value): &(&str, &str)| std::env::var(name).is_ok_and(|is| is == *value);
    let added: Vec<_> = if files().any(|file| has_settings(&file)) {
        let all = INSTEAD_OF_FILES.iter().copied();
        all.filter(|setting| !is_set(setting)).collect()
    } else {
        Vec::new()
    };
    let is_ours = |(name, value): &(OsString, OsString)| {
        INSTEAD_OF_FILES
            .iter()
            .any(|ours| name == ours.0 && value == ours.1)
    };
    let others = std::env::vars_os().filter(|variable| !is_ours(variable));
    let names = others.map(|(name, _)| name);
    let harmful: Vec<OsString> = names.filter(|name| is_harmful(name)).collect();
    if added.is_empty() && harmful.is_empty() {
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
    command.envs(added);
    let error = command.exec();
    tracing::warn!("settings of cargo stay in force: {error}");
}

/// The names of the variables that are for cargo's builds of cells, and not for the cells.
pub(crate) fn of_builds() -> impl Iterator<Item = &'static str> {
    INSTEAD_OF_FILES.iter().map(|(name, _)| *name)
}

/// Cargo's files that hold for the directory in which evcxr builds. The files may not exist.
fn files() -> impl Iterator<Item = PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let temporary = std::env::var_os("EVCXR_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let above: Vec<_> = temporary
        .ancestors()
        .map(|above| above.join(".cargo"))
        .collect();
    let directories = home.into_iter().chain(above);
    directories.flat_map(|directory| ["config.toml", "config"].map(|name| directory.join(name)))
}

fn has_settings(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    IN_FILES.iter().any(|setting| text.contains(setting))
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

    #[test]
    fn a_file_has_settings_if_it_names_one_that_breaks_cells() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.toml");
        assert!(!has_settings(&file));
        for (text, expected) in [
            ("[net]\noffline = true\n", false),
            ("profile.dev.panic = \"abort\"\n", true),
            ("[build]\nrustc-wrapper = \"sccache\"\n", true),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(has_settings(&file), expected, "{text}");
        }
    }
}
