//! `memit mprof rm` and `memit mprof clean`: remove profiles.

use std::path::PathBuf;

use anyhow::Context as _;
use memit_magics::visible;

use super::selection;

/// Removes profiles by name or number; with `dry_run`, only lists the files.
///
/// # Errors
///
/// If a name or number has no profile, in which case nothing is removed, or if a file cannot be
/// removed.
pub(super) fn remove(profiles: &[String], dry_run: bool) -> anyhow::Result<()> {
    remove_files(&selection::to_remove(profiles)?, dry_run)
}

/// Removes all profiles in this directory; with `dry_run`, only lists the files.
///
/// # Errors
///
/// If a file cannot be removed.
pub(super) fn clean(dry_run: bool) -> anyhow::Result<()> {
    remove_files(&selection::all(), dry_run)
}

fn remove_files(paths: &[PathBuf], dry_run: bool) -> anyhow::Result<()> {
    if dry_run {
        println!("Files to be removed: ");
    }
    for path in paths {
        if dry_run {
            println!("{}", visible(&path.display().to_string()));
        } else {
            let removed = std::fs::remove_file(path);
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
