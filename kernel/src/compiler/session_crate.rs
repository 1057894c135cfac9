//! The crate that every cell of a session is compiled against: what evcxr or a magic would
//! otherwise put into the source of each.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use memit_magics::cell::snippet::{HARNESS, PHASES};
use memit_runtime::lines;

/// By this name magics know it.
const NAME: &str = "memit_session";

/// By this name cells know it, for evcxr.
pub(super) const STORE: &str = "evcxr_internal_runtime";

/// By this name cells know it, for the user: what there is of the published crate of that name,
/// unless the user has asked for that.
const PUBLISHED: &str = "memit";

const ROOT: &str = "mod variable_store;\npub use variable_store::*;\npub mod harness;\n\
    pub mod lines {\n    mod counters;\n    mod probes;\n    pub use probes::*;\n}\nmod clear_output;\npub use clear_output::*;\n\
    mod phases;\npub use phases::*;\n";
const SOURCES: [(&str, &str); 5] = [
    ("lib.rs", ROOT),
    ("variable_store.rs", include_str!("variable_store.rs")),
    ("harness.rs", HARNESS),
    ("phases.rs", PHASES),
    ("clear_output.rs", include_str!("clear_output.rs")),
];

/// The arguments by which `rustc` finds the crate, which is compiled for the first cell. `others` are
/// those that there are already.
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
    // Under its name it is complete, even if this is ended in the middle.
    let incomplete: PathBuf = directory.with_extension("incomplete");
    fs::create_dir_all(&incomplete)?;
    for (name, source) in SOURCES {
        fs::write(incomplete.join(name), source)?;
    }
    fs::create_dir_all(incomplete.join("lines"))?;
    for (name, source) in lines::SOURCES {
        fs::write(incomplete.join("lines").join(name), source)?;
    }
    let output = Command::new(rustc)
        .args(["--edition=2024", "--crate-type=rlib", "--crate-name", NAME])
        .args(["-Copt-level=3", "-Ccodegen-units=1", "-Cprefer-dynamic"])
        .arg("--out-dir")
        .arg(&incomplete)
        .arg(incomplete.join("lib.rs"))
        .output()?;
    if !output.status.success() {
        bail!("{NAME}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(fs::rename(incomplete, directory)?)
}
