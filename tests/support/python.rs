//! A Python with the packages of `tests/requirements.txt`.
//!
//! `MEMIT_TEST_PYTHON` names an environment that has them, or its `bin/python`. Otherwise one is
//! made on first use, for which a network is needed, and kept for the next run.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{MEMIT, as_in_a_users_shell, tests_directory, text, workspace};

/// Python, which finds the program under test as `MEMIT`.
///
/// # Errors
///
/// If there is no Python 3 with `venv`, or the packages cannot be installed.
pub(crate) fn command() -> Result<Command, String> {
    let environment = match std::env::var_os("MEMIT_TEST_PYTHON") {
        Some(named) => workspace().join(named),
        None => environment()?,
    };
    let program = if environment.is_dir() {
        environment.join("bin/python")
    } else {
        environment
    };
    let mut command = Command::new(program);
    as_in_a_users_shell(&mut command);
    command
        .env("MEMIT", MEMIT)
        // The sources stay as they are.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    Ok(command)
}

/// An environment in the target directory.
fn environment() -> Result<PathBuf, String> {
    let requirements = tests_directory().join("requirements.txt");
    let pins = fs::read_to_string(&requirements).expect("tests/requirements.txt can be read");
    let version = run(
        Command::new("python3").arg("--version"),
        "the tests of Jupyter clients need Python 3: install `python3`",
    )?;
    let mut hasher = DefaultHasher::new();
    (pins, version.stdout).hash(&mut hasher);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let finished = directory.join(format!("venv-{:016x}", hasher.finish()));

    // Several test programs may come here at the same time: the first makes it, others wait.
    let lock = File::create(directory.join("venv.lock")).expect("the target directory is ours");
    lock.lock().expect("the file system can lock files");
    if !finished.exists() {
        let unfinished = finished.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).expect("what an earlier run has left can be removed");
        }
        run(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&unfinished),
            "Python's `venv` does not work: on Debian, install `python3-venv`",
        )?;
        run(
            Command::new(unfinished.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--no-input"])
                .args(["--disable-pip-version-check", "-r"])
                .arg(&requirements),
            "the packages of tests/requirements.txt cannot be installed: without a network, let \
             MEMIT_TEST_PYTHON name an environment that has them",
        )?;
        // Its scripts keep the old path, but `python -m` needs none of them.
        fs::rename(&unfinished, &finished).expect("a directory can be renamed");
    }
    Ok(finished)
}

/// Runs a command that must succeed, or says what to do.
fn run(command: &mut Command, advice: &str) -> Result<Output, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{advice}\n{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    Err(format!(
        "{advice}\n{command:?}: {}\n{stdout}{stderr}",
        output.status
    ))
}
