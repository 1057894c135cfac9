//! Answers the questions that the analyser asks cargo.
//!
//! With each change of the manifest, the analyser asks about the toolchain, the manifest and its packages, and
//! reads the source of all packages. While the analyser sees no source of the standard library, nobody needs
//! the packages: the stand-in gives the answers of the first time, and names no packages.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cargo_settings;
use crate::library_source::{self, LibrarySource};

/// The directory of the answers, in the directory of the stand-ins.
const ANSWERS: &str = "answers";

/// Whether the question comes from an analyser that nobody needs yet. evcxr builds, checks and asks for the
/// packages of its own directory.
pub(super) fn is_idle(arguments: &[OsString]) -> bool {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let is_of_evcxr = has("build") || has("check") || (has("metadata") && !has("--manifest-path"));
    !is_of_evcxr && tools().is_some_and(|tools| is_asleep(&tools))
}

/// Answers as the first time.
pub(super) fn answer(cargo: &Path, arguments: &[OsString]) -> io::Result<ExitCode> {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has("metadata") && !has("--no-deps") {
        // The analyser goes on with the package of the session alone.
        eprintln!("memit: the analyser needs no packages yet");
        return Ok(ExitCode::FAILURE);
    }
    let mut hasher = DefaultHasher::new();
    arguments.hash(&mut hasher);
    let answers = tools().unwrap_or_default().join(ANSWERS);
    let file = answers.join(format!("{:016x}", hasher.finish()));
    let answer = if let Ok(answer) = fs::read(&file) {
        answer
    } else {
        let mut command = Command::new(cargo);
        let output = cargo_settings::at_home(&mut command)
            .args(arguments)
            .output()?;
        if !output.status.success() {
            io::stderr().write_all(&output.stderr)?;
            return Ok(ExitCode::FAILURE);
        }
        fs::create_dir_all(&answers)?;
        // Questions come at the same time, and a file appears as a whole.
        let mut incomplete = tempfile::NamedTempFile::new_in(answers)?;
        incomplete.write_all(&output.stdout)?;
        incomplete.persist(file)?;
        output.stdout
    };
    io::stdout().write_all(&answer)?;
    Ok(ExitCode::SUCCESS)
}

/// The directory of the stand-ins.
fn tools() -> Option<PathBuf> {
    env::var_os(cargo_settings::TOOLS).map(PathBuf::from)
}

/// Whether the analyser sees no source of the library. A library that the user names is always seen.
fn is_asleep(tools: &Path) -> bool {
    let library = env::var_os(library_source::VARIABLE).map(PathBuf::from);
    let ours = library.filter(|library| library.starts_with(tools));
    ours.is_some_and(|ours| LibrarySource::at(ours).is_hidden())
}
