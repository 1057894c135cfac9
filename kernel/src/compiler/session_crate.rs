//! Compiles the crate that every cell of a session depends on, once for a compiler: later sessions take the
//! crate from the user's cache. Without this crate, evcxr and the magics would put its code into the source of
//! every cell.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use memit_session::sources::{ARGUMENTS, FILES, NAME, QUESTION_MARK, ROOT};

use super::allocator;
use super::definitions::tokens;
use crate::dependency_cache::DependencyCache;

/// The name of the crate in code that evcxr generates.
pub(super) const STORE: &str = "evcxr_internal_runtime";

/// The name of the crate in code that the user writes. The crate stands in for the published crate
/// of this name, unless the user has added the published crate as a dependency.
const PUBLISHED: &str = "memit";

/// The compiled crate.
pub(super) struct SessionCrate {
    library: PathBuf,
}

impl SessionCrate {
    /// Compiles the crate for the first cell.
    pub(super) fn compiled(session: &Path, rustc: &OsStr) -> anyhow::Result<Self> {
        // A session can change its toolchain.
        let toolchain = rustc
            .to_string_lossy()
            .replace(|c: char| !c.is_alphanumeric(), "_");
        let directory = session.join(toolchain);
        let library = directory.join(format!("lib{NAME}.rlib"));
        if !library.exists() {
            provide(rustc, &directory)?;
        }
        Ok(Self { library })
    }

    /// Whether a cell may end at a `?` behind a value of any type.
    pub(super) fn accepts_any_question_mark(&self) -> bool {
        self.library.with_file_name(ANY_QUESTION_MARK).exists()
    }

    /// The arguments by which `rustc` finds the crate. `others` are the arguments of `rustc` so far.
    pub(super) fn arguments(&self, others: &[String]) -> Vec<String> {
        let of_published = format!("{PUBLISHED}=");
        let has_published = others.iter().any(|other| other.starts_with(&of_published));
        let names = [NAME, STORE, PUBLISHED];
        let names = &names[..if has_published { 2 } else { 3 }];
        let found_at = |name| format!("{name}={}", self.library.display());
        let arguments = names
            .iter()
            .flat_map(|name| ["--extern".to_owned(), found_at(name)]);
        let beside = self.library.with_file_name("");
        arguments.chain(allocator::arguments(&beside)).collect()
    }
}

/// Stands beside the library if it contains the module `question_mark`.
const ANY_QUESTION_MARK: &str = "any_question_mark";

/// Takes the crate from the user's cache, or compiles the crate.
fn provide(rustc: &OsStr, directory: &Path) -> anyhow::Result<()> {
    // The crate appears under its name only when it is complete, even if this process is killed.
    let incomplete: PathBuf = directory.with_extension("incomplete");
    fs::create_dir_all(&incomplete)?;
    let cache = DependencyCache::of_user().zip(name_in_cache(rustc));
    let cache = cache.as_ref();
    if !cache.is_some_and(|(cache, name)| cache.restore_linked(name, &incomplete)) {
        compile(rustc, &incomplete)?;
        if let Some((cache, name)) = cache {
            let files =
                [NAME, allocator::NAME].map(|name| PathBuf::from(format!("lib{name}.rlib")));
            let any = PathBuf::from(ANY_QUESTION_MARK);
            let any = Some(any).filter(|any| incomplete.join(any).exists());
            let files: Vec<_> = files.into_iter().chain(any).collect();
            // A cache that cannot be written costs time.
            let _ = cache.keep_all_linked(name, &incomplete, &files);
        }
    }
    Ok(fs::rename(incomplete, directory)?)
}

/// The name under which the cache has the crate that this compiler compiles; `None` if the compiler does not
/// say which it is.
fn name_in_cache(rustc: &OsStr) -> Option<String> {
    let version = Command::new(rustc).arg("-vV").output().ok()?;
    let version = String::from_utf8(version.stdout).ok()?;
    let is_exact = |line: &str| line.starts_with("commit-hash: ") && !line.ends_with("unknown");
    if !version.lines().any(is_exact) {
        return None;
    }
    // Another build of one version has another standard library.
    let file = fs::metadata(rustc).ok()?;
    let build = (rustc, file.len(), file.modified().ok()?);
    let sources = (FILES, ARGUMENTS, QUESTION_MARK, allocator::SOURCE);
    let number = tokens::hash((build, version, sources));
    Some(format!("session-{number:016x}"))
}

fn compile(rustc: &OsStr, incomplete: &Path) -> anyhow::Result<()> {
    for (name, source) in FILES {
        let file = incomplete.join(name);
        fs::create_dir_all(file.with_file_name(""))?;
        fs::write(file, source)?;
    }
    let mut allocator = allocator::compile(rustc, incomplete)?;
    let mut plain = Command::new(rustc);
    plain
        .args(ARGUMENTS)
        .arg("--out-dir")
        .arg(incomplete)
        .arg(incomplete.join(ROOT));
    let mut unstable = Command::new(rustc);
    unstable.args(plain.get_args()).arg(QUESTION_MARK);
    // Opens the unstable features to this crate alone, also in a stable compiler.
    unstable.env("RUSTC_BOOTSTRAP", "1");
    if unstable.output()?.status.success() {
        fs::write(incomplete.join(ANY_QUESTION_MARK), "")?;
    } else {
        let output = plain.output()?;
        if !output.status.success() {
            bail!("{NAME}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    if !allocator.wait()?.success() {
        bail!("{} does not compile", allocator::NAME);
    }
    Ok(())
}
