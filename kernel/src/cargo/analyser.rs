//! Answers the questions that the rust-analyzer in evcxr asks cargo.
//!
//! With each change of the manifest, rust-analyzer asks about the toolchain, the manifest and its packages, and
//! reads the source of all packages. Nobody needs that: `rustc` names the types of variables, and another process
//! answers editors. The stand-in gives the answers of the first time, and names no packages.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cargo_settings;
use crate::compiler::definitions::tokens;

/// The directory of the answers, in the directory of the stand-ins.
const ANSWERS: &str = "answers";

/// Whether the question comes from rust-analyzer. evcxr builds, checks and asks for the packages of its own
/// directory.
pub(super) fn is_question(arguments: &[OsString]) -> bool {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let is_of_evcxr = has("build") || has("check") || (has("metadata") && !has("--manifest-path"));
    !is_of_evcxr
}

/// Answers as the first time.
pub(super) fn answer(cargo: &Path, arguments: &[OsString]) -> io::Result<ExitCode> {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has("metadata") && !has("--no-deps") {
        // rust-analyzer goes on with the package of the session alone.
        eprintln!("memit: rust-analyzer needs no packages");
        return Ok(ExitCode::FAILURE);
    }
    let answers = tools().unwrap_or_default().join(ANSWERS);
    let file = answers.join(format!("{:016x}", tokens::hash(arguments)));
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
