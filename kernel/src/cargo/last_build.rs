//! Repeats the last build, if nothing but the cell has changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use serde::{Deserialize, Serialize};

use super::messages::{self, Artifact, Dependency};
use super::{failed, plan};
use crate::cargo_settings;
use crate::compiler::recorded::{self, Recorded};
use crate::compiler::{self, CELL_CRATE};
use crate::dependency_cache::{self, Builds, Lock};

/// evcxr sets this variable when it builds a cell.
const OF_CELL: &str = "EVCXR_EXECUTION_SO_PATH";

/// The last successful build, in the directory in which cargo builds.
const BUILD: &str = "target/memit-build.json";
/// The last command of `rustc` for a cell.
const COMPILER: &str = "target/memit-rustc.json";

const LOCK: &str = "Cargo.lock";

/// cargo's exit code if a crate does not compile.
const NOT_COMPILED: u8 = 101;

/// Variables of the jobs that cargo shares with its compilers. These jobs end with cargo.
const JOBS: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

/// A successful build.
#[derive(Serialize, Deserialize)]
struct Build {
    /// See [`inputs`].
    inputs: u64,
    compiler: Recorded,
    /// What cargo printed of the crate.
    artifact: String,
}

/// Whether cargo is to build a cell.
pub(super) fn is_of_cell(arguments: &[OsString]) -> bool {
    env::var_os(OF_CELL).is_some() && arguments.iter().any(|argument| argument == "build")
}

/// Builds a cell.
pub(super) fn repeat_or_build(cargo: &Path, arguments: &[OsString]) -> ExitCode {
    if let Some(build) = Build::read()
        && inputs(arguments) == Some(build.inputs)
        && dependencies_exist(&build.compiler)
        && let Some(artifact) = Artifact::find(&build.artifact, CELL_CRATE)
    {
        match repeat(&build.compiler, &artifact) {
            Ok(code) => return code,
            Err(error) => eprintln!("memit: cargo builds the cell: {error}"),
        }
    }
    build(cargo, arguments).unwrap_or_else(|error| failed(cargo, &error))
}

/// Lets cargo build, and records the build if it succeeds.
fn build(cargo: &Path, arguments: &[OsString]) -> io::Result<ExitCode> {
    for record in [BUILD, COMPILER] {
        let _ = fs::remove_file(record);
    }
    let mut command = Command::new(cargo);
    cargo_settings::at_home(&mut command)
        .args(arguments)
        .env(recorded::VARIABLE, env::current_dir()?.join(COMPILER))
        .stdout(Stdio::piped());
    let builds = Builds::new(env::current_dir()?);
    // Without the cache, cargo compiles.
    let _ = builds.restore(|| plan::of(cargo, arguments));
    let mut built = 0;
    let mut needed = BTreeSet::new();
    builds.note_built(built);
    let mut child = command.spawn()?;
    let mut said = String::new();
    for line in lines(child.stdout.take()) {
        println!("{line}");
        needed.extend(dependency_cache::hashes(&line));
        if let Some(dependency) = Dependency::read(&line) {
            built += usize::from(!dependency.is_script);
            builds.note_built(built);
            if dependency.is_compiled {
                builds.note_compiled();
            }
        }
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait()?;
    if status.success() {
        // Without the list, later sessions get all units of the packages.
        let _ = builds.keep_needed(&needed);
        record(arguments, &said);
    }
    Ok(code(status))
}

/// Records a build. Without a record, cargo builds the next cell, too: cargo has to look at the sources of
/// crates on this machine.
fn record(arguments: &[OsString], said: &str) {
    let has_others = !Lock::read(Path::new(LOCK)).is_ok_and(|lock| lock.local() <= 1);
    if has_others {
        return;
    }
    let Some((inputs, artifact)) = inputs(arguments).zip(Artifact::find(said, CELL_CRATE)) else {
        return;
    };
    let compiler = fs::read(COMPILER).ok();
    let Some(compiler) = compiler.and_then(|text| serde_json::from_slice(&text).ok()) else {
        return;
    };
    let build = Build {
        inputs,
        compiler,
        artifact: artifact.line().to_owned(),
    };
    if let Ok(text) = serde_json::to_vec(&build) {
        let _ = fs::write(BUILD, text);
    }
}

impl Build {
    fn read() -> Option<Self> {
        serde_json::from_slice(&fs::read(BUILD).ok()?).ok()
    }
}

/// Whether the files of the dependencies are where they were.
fn dependencies_exist(compiler: &Recorded) -> bool {
    compiler::externs(&compiler.arguments).all(|(_, file)| Path::new(file).exists())
}

/// Compiles the cell as the last time.
fn repeat(compiler: &Recorded, artifact: &Artifact) -> io::Result<ExitCode> {
    let made = made_file(compiler).ok_or_else(|| io::Error::other("no directory for output"))?;
    let mut command = Command::new(&compiler.program);
    command
        .args(&compiler.arguments)
        .env_clear()
        .envs(&compiler.environment)
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    for name in JOBS {
        command.env_remove(name);
    }
    let mut child = command.spawn()?;
    pass_messages(&mut child, artifact);
    let status = child.wait()?;
    if status.success() {
        for file in artifact.files() {
            let _ = fs::remove_file(file);
            if fs::hard_link(&made, file).is_err() {
                fs::copy(&made, file)?;
            }
        }
        println!("{}", artifact.line());
    } else {
        eprintln!("error: could not compile `{CELL_CRATE}` (lib)");
    }
    println!("{}", messages::finished(status.success()));
    Ok(code(status))
}

/// The library that `rustc` makes.
fn made_file(compiler: &Recorded) -> Option<PathBuf> {
    let directory = compiler::value_of(&compiler.arguments, "--out-dir")?;
    let (prefix, ending) = (env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    Some(Path::new(directory).join(format!("{prefix}{CELL_CRATE}{ending}")))
}

/// Prints what the compiler says, as cargo does.
fn pass_messages(child: &mut Child, artifact: &Artifact) {
    for line in lines(child.stderr.take()) {
        match artifact.message(&line) {
            Some(message) => println!("{message}"),
            None if line.starts_with('{') => {}
            None => eprintln!("{line}"),
        }
    }
}

/// The lines of a pipe, until its end.
fn lines(pipe: Option<impl io::Read>) -> impl Iterator<Item = String> {
    let lines = pipe
        .into_iter()
        .flat_map(|pipe| BufReader::new(pipe).split(b'\n'));
    let read = lines.map_while(Result::ok);
    read.map(|line| String::from_utf8_lossy(&line).into_owned())
}

fn code(status: ExitStatus) -> ExitCode {
    if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_COMPILED)
    }
}

/// A hash of all that cargo looks at, apart from the sources of crates; `None` if that is not known.
fn inputs(arguments: &[OsString]) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    arguments.hash(&mut hasher);
    let variables: BTreeMap<_, _> = env::vars_os().collect();
    variables.hash(&mut hasher);
    env::current_dir().ok()?.hash(&mut hasher);
    // An update of the toolchain writes another compiler to the same place.
    let compiler = fs::metadata(env::var_os("RUSTC")?).ok()?;
    (compiler.len(), compiler.modified().ok()).hash(&mut hasher);
    for file in ["Cargo.toml", LOCK] {
        fs::read(file).ok()?.hash(&mut hasher);
    }
    let own = [".cargo/config.toml"].map(PathBuf::from);
    for file in own.into_iter().chain(cargo_settings::files()) {
        fs::read(file).ok().hash(&mut hasher);
    }
    Some(hasher.finish())
}
