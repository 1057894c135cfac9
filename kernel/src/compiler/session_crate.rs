//! Compiles the crate that every cell of a session depends on. Without this crate, evcxr and the
//! magics would put its code into the source of every cell.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use memit_session::sources::{ARGUMENTS, FILES, NAME, ROOT};

/// The name of the crate in code that evcxr generates.
pub(super) const STORE: &str = "evcxr_internal_runtime";

/// The name of the crate in code that the user writes. The crate stands in for the published crate
/// of this name, unless the user has added the published crate as a dependency.
const PUBLISHED: &str = "memit";

/// The arguments by which `rustc` finds the crate. Compiles the crate for the first cell. `others`
/// are the arguments of `rustc` so far.
pub(super) fn arguments(
    session: &Path,
    rustc: &OsStr,
    others: &[String],
) -> anyhow::Result<Vec<String>> {
    // A session can change its toolchain.
    let toolchain = rustc
        .to_string_lossy()
        .replace(|c: char| !c.is_alphanumeric(), "_");
    let directory = session.join(toolchain);
    let library = directory.join(format!("lib{NAME}.rlib"));
    if !library.exists() {
        compile(rustc, &directory)?;
    }
    let of_published = format!("{PUBLISHED}=");
    let has_published = others.iter().any(|other| other.starts_with(&of_published));
    let names = [NAME, STORE, PUBLISHED];
    let names = &names[..if has_published { 2 } else { 3 }];
    let found_at = |name| format!("{name}={}", library.display());
    let arguments = names
        .iter()
        .flat_map(|name| ["--extern".to_owned(), found_at(name)]);
    Ok(arguments.collect())
}

fn compile(rustc: &OsStr, directory: &Path) -> anyhow::Result<()> {
    // The crate appears under its name only when it is complete, even if this process is killed.
    let incomplete: PathBuf = directory.with_extension("incomplete");
    fs::create_dir_all(&incomplete)?;
    for (name, source) in FILES {
        let file = incomplete.join(name);
        fs::create_dir_all(file.with_file_name(""))?;
        fs::write(file, source)?;
    }
    let output = Command::new(rustc)
        .args(ARGUMENTS)
        .arg("--out-dir")
        .arg(&incomplete)
        .arg(incomplete.join(ROOT))
        .output()?;
    if !output.status.success() {
        bail!("{NAME}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(fs::rename(incomplete, directory)?)
}
