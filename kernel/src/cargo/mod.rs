//! The stand-in for cargo and rustup, which evcxr starts.
//!
//! evcxr lets cargo build each cell. If nothing but the cell has changed since the last build, cargo takes
//! longer to find that out than the stand-in: the more dependencies, the longer. The stand-in then
//! repeats the last command of `rustc`, and prints what cargo would print. In all other cases cargo runs.
//!
//! The process of the session puts links to itself in front of `PATH`; the name of a link selects the part.

mod analyser;
mod last_build;
mod messages;
mod network;
mod plan;

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, io};

use crate::cargo_settings;

const CARGO: &str = "cargo";
const RUSTUP: &str = "rustup";

/// The program that this process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Cargo,
    Rustup,
}

/// The part of this process, if it has one.
pub(crate) fn part() -> Option<Part> {
    let program = PathBuf::from(env::args_os().next()?);
    match program.file_name()?.to_str()? {
        CARGO => Some(Part::Cargo),
        RUSTUP => Some(Part::Rustup),
        _ => None,
    }
}

/// Puts the links into a directory, which must be new.
pub(crate) fn install(directory: &Path) -> io::Result<()> {
    fs::create_dir(directory)?;
    let program = env::current_exe()?;
    for name in [CARGO, RUSTUP] {
        symlink(&program, directory.join(name))?;
    }
    Ok(())
}

/// Plays the part, in a process whose `PATH` names the directory of [`install`].
pub(crate) fn run(part: Part) -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match part {
        Part::Cargo => run_cargo(&arguments),
        Part::Rustup => run_rustup(&arguments),
    }
}

fn run_cargo(arguments: &[OsString]) -> ExitCode {
    let Some(cargo) = cargo_of_compiler().or_else(|| in_path(CARGO)) else {
        return missing(CARGO);
    };
    if !is_of_kernel() {
        // A build script has started cargo.
        return become_program(&cargo, arguments);
    }
    if analyser::is_question(arguments) {
        return analyser::answer(&cargo, arguments).unwrap_or_else(|error| failed(&cargo, &error));
    }
    if network::is_needed(arguments) {
        return network::run(&cargo, arguments).unwrap_or_else(|error| failed(&cargo, &error));
    }
    if last_build::is_of_cell(arguments) {
        return last_build::repeat_or_build(&cargo, arguments);
    }
    become_program(&cargo, arguments)
}

/// Whether the kernel has started this process, for evcxr or for the analyser.
fn is_of_kernel() -> bool {
    let tools = env::var_os(cargo_settings::TOOLS).map(PathBuf::from);
    let prefix = cargo_settings::tools_prefix(parent_id());
    tools.is_some_and(|tools| {
        let name = tools.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(&prefix))
    })
}

/// cargo of the toolchain whose `rustc` evcxr has chosen.
fn cargo_of_compiler() -> Option<PathBuf> {
    let cargo = PathBuf::from(env::var_os("RUSTC")?).with_file_name(CARGO);
    cargo.is_file().then_some(cargo)
}

/// evcxr asks for the path of cargo, and gets that of the stand-in, if there is a cargo.
fn run_rustup(arguments: &[OsString]) -> ExitCode {
    let Some(rustup) = in_path(RUSTUP) else {
        return missing(RUSTUP);
    };
    let is_toolchain = |argument: &&OsString| argument.to_string_lossy().starts_with('+');
    let asked: Vec<_> = arguments.iter().skip_while(is_toolchain).collect();
    if asked != ["which", CARGO] {
        return become_program(&rustup, arguments);
    }
    match cargo_settings::at_home(&mut Command::new(rustup))
        .args(arguments)
        .output()
    {
        Ok(output) if output.status.success() => {}
        _ => return ExitCode::FAILURE,
    }
    match directory() {
        Some(directory) => {
            println!("{}", directory.join(CARGO).display());
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}

/// The directory of the links.
fn directory() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut directories = env::split_paths(&path);
    directories.find(|directory| is_this_program(&directory.join(CARGO)))
}

/// The program of this name on the `PATH` that is none of the links.
fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut programs = env::split_paths(&path).map(|directory| directory.join(name));
    programs.find(|program| program.is_file() && !is_this_program(program))
}

fn is_this_program(program: &Path) -> bool {
    let ours = env::current_exe().and_then(fs::canonicalize);
    ours.is_ok_and(|ours| fs::canonicalize(program).is_ok_and(|program| program == ours))
}

fn become_program(program: &Path, arguments: &[OsString]) -> ExitCode {
    let error = cargo_settings::at_home(&mut Command::new(program))
        .args(arguments)
        .exec();
    failed(program, &error)
}

fn failed(program: &Path, error: &io::Error) -> ExitCode {
    eprintln!("memit: {}: {error}", program.display());
    ExitCode::FAILURE
}

fn missing(name: &str) -> ExitCode {
    eprintln!("memit: there is no program `{name}` on the `PATH`");
    ExitCode::FAILURE
}
