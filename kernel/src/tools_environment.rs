//! The environment in which a kernel runs cargo, `rustc` and the analyser.
//!
//! A program cannot change its environment safely, so the process starts its program anew with the
//! environment of the tools. Cells get the user's environment back.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::cargo_settings;
use crate::library_source::{self, LibrarySource};

/// What stands before the name of a variable that keeps the user's value of the variable.
const KEPT: &str = "MEMIT_USERS_";

/// Starts the program anew in the environment of the tools, unless this process has it. Called before
/// anything else.
pub(crate) fn enter() {
    let ours: Vec<_> = cargo_settings::ours().collect();
    let is_set = |(name, value): &(&str, &str)| std::env::var(name).is_ok_and(|is| is == *value);
    let is_ours = |(name, value): &(OsString, OsString)| {
        ours.iter().any(|ours| name == ours.0 && value == ours.1)
    };
    let harmful: Vec<_> = std::env::vars_os()
        .filter(|variable| cargo_settings::is_harmful(&variable.0) && !is_ours(variable))
        .collect();
    let library = match std::env::var_os(library_source::VARIABLE) {
        Some(_) => None,
        None => LibrarySource::create()
            .inspect_err(|error| tracing::warn!("the analyser reads all of the library: {error}"))
            .ok(),
    };
    if ours.iter().all(is_set) && harmful.is_empty() && library.is_none() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    for (name, value) in harmful {
        command.env_remove(&name).env(kept(name), value);
    }
    for (name, value) in ours.into_iter().filter(|setting| !is_set(setting)) {
        if let Some(users) = std::env::var_os(name) {
            command.env(kept(name.into()), users);
        }
        command.env(name, value);
    }
    if let Some(library) = &library {
        command.env(library_source::VARIABLE, library.path());
    }
    let error = command.exec();
    tracing::warn!("settings of cargo stay in force: {error}");
    if let Some(library) = library {
        library.remove();
    }
}

fn kept(name: OsString) -> OsString {
    let mut kept = OsString::from(KEPT);
    kept.push(name);
    kept
}

/// Gives the command the user's environment.
pub(crate) fn leave(command: &mut Command) {
    for (name, _) in cargo_settings::ours() {
        command.env_remove(name);
    }
    if LibrarySource::of_process().is_some() {
        command.env_remove(library_source::VARIABLE);
    }
    for (name, value) in std::env::vars_os() {
        let users = name.to_str().and_then(|name| name.strip_prefix(KEPT));
        if let Some(users) = users {
            command.env_remove(&name).env(users, value);
        }
    }
}
