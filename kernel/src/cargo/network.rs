//! Lets cargo find the packages of a `:dep`, without the network if that is enough.
//!
//! cargo asks the registry for newer versions with each new dependency. A network that does not answer would
//! end the cell, also if all packages are on this machine. The stand-in therefore asks the registry once a day,
//! and lets cargo look at this machine only if that has been done, or if the network does not answer.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::Duration;

use crate::cargo_settings;
use crate::compiler::pass_on;
use crate::dependency_cache::DependencyCache;

/// How long the versions on this machine are new enough.
const DAY: Duration = Duration::from_hours(24);

/// A file that is written when the registry has answered.
const ANSWERED: &str = "registry-answered";

/// What the user reads if neither the network nor this machine has the packages.
const UNKNOWN: &str = "error: the network does not answer, and this machine does not have all packages that the cell needs";

/// The option with which cargo looks at this machine only.
const OFFLINE: &str = "--offline";

/// Settings of cargo by which a network that does not answer costs seconds and not minutes.
const PATIENCE: [(&str, &str); 2] = [("CARGO_HTTP_TIMEOUT", "3"), ("CARGO_NET_RETRY", "1")];

/// What cargo says if the network does not answer.
const NO_NETWORK: [&str; 7] = [
    "Could not resolve",
    "Could not connect",
    "Couldn't connect",
    "Couldn't resolve",
    "Timeout was reached",
    "failed to fetch",
    "failed to download",
];

/// Whether evcxr asks whether there is a package.
pub(super) fn is_needed(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| argument == "metadata")
}

/// Runs cargo with these arguments, in place of this process.
pub(super) fn run(cargo: &Path, arguments: &[OsString]) -> io::Result<ExitCode> {
    pass_on(&output(cargo, arguments, &[])?)
}

/// What cargo says, with these arguments and variables. cargo looks for packages on this machine first, or in
/// the network.
pub(super) fn output(
    cargo: &Path,
    arguments: &[OsString],
    variables: &[(&str, &str)],
) -> io::Result<Output> {
    let run = |more: &[&str]| {
        let mut command = Command::new(cargo);
        let users = |name: &str| std::env::var_os(name).is_some();
        let patience = PATIENCE.iter().filter(|(name, _)| !users(name));
        cargo_settings::at_home(&mut command)
            .args(arguments)
            .args(more)
            .envs(variables.iter().chain(patience).copied())
            .stdin(Stdio::null());
        command.output()
    };
    if arguments.iter().any(|argument| argument == OFFLINE) {
        // `:offline 1` is on.
        return run(&[]);
    }
    let answered = DependencyCache::of_user().map(|cache| cache.directory().join(ANSWERED));
    if answered.as_ref().is_some_and(|file| is_new(file)) {
        let output = run(&[OFFLINE])?;
        if output.status.success() {
            return Ok(output);
        }
    }
    let output = run(&[])?;
    if output.status.success() {
        if let Some(file) = answered {
            note(&file);
        }
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let Some(reason) = text.lines().rev().find(|line| is_of_network(line)) else {
        return Ok(output);
    };
    let mut here = run(&[OFFLINE])?;
    if !here.status.success() {
        let text = String::from_utf8_lossy(&here.stderr);
        let missing = text.lines().find_map(|line| line.strip_prefix("error: "));
        let missing = missing.unwrap_or_default();
        here.stderr = format!("{UNKNOWN}\n{}\n{missing}\n", reason.trim()).into_bytes();
    }
    Ok(here)
}

/// Whether cargo says that the network does not answer.
fn is_of_network(line: &str) -> bool {
    NO_NETWORK.iter().any(|says| line.contains(says))
}

fn is_new(file: &Path) -> bool {
    let written = fs::metadata(file).and_then(|metadata| metadata.modified());
    let age = written.ok().and_then(|written| written.elapsed().ok());
    age.is_some_and(|age| age < DAY)
}

/// Notes that the registry has answered. Without the note, the next session asks again.
fn note(file: &Path) {
    let _ = fs::create_dir_all(file.with_file_name(""));
    let _ = File::create(file);
}
