//! The environment in which a kernel runs cargo, `rustc` and the analyser.
//!
//! A program cannot change its environment safely, so the process starts its program anew with the
//! environment of the tools, and with a directory of its own:
//!
//! ```text
//! memit-tools-…/
//!     bin/        stand-ins for cargo and rustup, the first directory of PATH
//!     library/    links to the source of the standard library, for the analyser
//!     nothing/    no source of the library, for the rust-analyzer in evcxr
//! ```
//!
//! Cells get the user's environment back.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo_settings::{HOME, TOOLS as DIRECTORY};
use crate::{cargo, cargo_settings, library_source};

/// What stands before the name of a variable that keeps the user's value of the variable.
const KEPT: &str = "MEMIT_USERS_";

const PATH: &str = "PATH";

/// Starts the program anew in the environment of the tools, unless this process has it. Called before
/// anything else.
pub(crate) fn enter() {
    if directory().is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    let is_harmful = |(name, _): &(OsString, OsString)| cargo_settings::is_harmful(name);
    for (name, value) in std::env::vars_os().filter(is_harmful) {
        command.env_remove(&name).env(kept(&name), value);
    }
    for (name, value) in cargo_settings::ours() {
        replace(&mut command, name, value.into());
    }
    let directory = match create_directory() {
        Ok(directory) => directory,
        Err(error) => {
            tracing::warn!("the first cells will be slow: {error}");
            return;
        }
    };
    command.env(DIRECTORY, &directory);
    replace(&mut command, HOME, directory.clone().into());
    replace(
        &mut command,
        library_source::VARIABLE,
        no_library(&directory).into(),
    );
    if let Some(path) = std::env::var_os(PATH) {
        let directories = [bin(&directory)]
            .into_iter()
            .chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(directories) {
            replace(&mut command, PATH, path);
        }
    }
    let error = command.exec();
    tracing::warn!("settings of cargo stay in force: {error}");
    let _ = fs::remove_dir_all(directory);
}

/// Gives the command the user's environment.
pub(crate) fn leave(command: &mut Command) {
    for (name, _) in cargo_settings::ours() {
        command.env_remove(name);
    }
    command.env_remove(library_source::VARIABLE);
    cargo_settings::at_home(command).env_remove(DIRECTORY);
    for (name, value) in std::env::vars_os() {
        let users = name.to_str().and_then(|name| name.strip_prefix(KEPT));
        if let Some(users) = users {
            command.env_remove(&name).env(users, value);
        }
    }
}

/// The directory of this process; `None` also if another process has passed its environment on.
pub(crate) fn directory() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os(DIRECTORY)?);
    let name = directory.file_name()?.to_str()?;
    name.starts_with(&prefix()).then_some(directory)
}

/// How the name of the directory starts. The process keeps its number when it starts its program anew.
fn prefix() -> String {
    cargo_settings::tools_prefix(std::process::id())
}

/// Shows the source of the library to a command that has the user's environment, unless the user has named
/// another source. Without a source, rust-analyzer asks rustup for one.
pub(crate) fn show_library(command: &mut Command) {
    let users = kept(library_source::VARIABLE.as_ref());
    let Some(directory) = directory().filter(|_| std::env::var_os(users).is_none()) else {
        return;
    };
    let library = directory.join("library");
    let linked =
        library_source::of_toolchain().map(|source| library_source::link(&library, &source));
    match linked {
        Some(Ok(())) => drop(command.env(library_source::VARIABLE, library)),
        Some(Err(error)) => tracing::warn!("the analyser reads the whole library: {error}"),
        None => {}
    }
}

fn no_library(directory: &Path) -> PathBuf {
    directory.join("nothing")
}

/// Removes the directory of this process.
pub(crate) fn remove_directory() {
    if let Some(directory) = directory() {
        let _ = fs::remove_dir_all(directory);
    }
}

fn bin(directory: &Path) -> PathBuf {
    directory.join("bin")
}

fn create_directory() -> io::Result<PathBuf> {
    let directory = tempfile::Builder::new().prefix(&prefix()).tempdir()?;
    cargo::install(&bin(directory.path()))?;
    library_source::make_empty(&no_library(directory.path()))?;
    Ok(directory.keep())
}

/// Sets a variable, and keeps the user's value.
fn replace(command: &mut Command, name: &str, value: OsString) {
    if let Some(users) = std::env::var_os(name) {
        command.env(kept(name.as_ref()), users);
    }
    command.env(name, value);
}

fn kept(name: &std::ffi::OsStr) -> OsString {
    let mut kept = OsString::from(KEPT);
    kept.push(name);
    kept
}
