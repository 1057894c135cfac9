//! What the integration tests share: the program under test, and a Python to drive it with.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program under test.
pub(crate) const MEMIT: &str = env!("CARGO_BIN_EXE_memit");

/// `memit` as a user's shell would start it.
pub(crate) fn memit() -> Command {
    let mut command = Command::new(MEMIT);
    as_in_a_users_shell(&mut command);
    command
}

/// The same, for which Ctrl-C and the end of the terminal do what they usually do: whoever runs the
/// tests in the background has them ignored by all that they start.
pub(crate) fn memit_in_the_foreground() -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP,INT", MEMIT]);
    as_in_a_users_shell(&mut command);
    command
}

/// Where the tests and their Python clients are.
pub(crate) fn tests_directory() -> PathBuf {
    workspace().join("tests")
}

/// The root of the repository.
pub(crate) fn workspace() -> PathBuf {
    let kernel = Path::new(env!("CARGO_MANIFEST_DIR"));
    kernel
        .parent()
        .expect("the package lies in the workspace")
        .to_owned()
}

/// Takes away what `cargo test` has put into the environment: it can mend or break what users
/// would not have.
fn as_in_a_users_shell(command: &mut Command) {
    command.env_remove("LD_LIBRARY_PATH");
    // The history of whoever runs the tests is his own.
    command.env("MEMIT_HISTORY", "off");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_cargos = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_TARGET_",
        ];
        if is_cargos.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
}

/// Python with the packages of `tests/requirements.txt`, in an environment that is made on first
/// use and kept for the next run.
///
/// # Panics
///
/// If there is no Python 3 with `venv`, or the packages cannot be installed.
pub(crate) fn python() -> Command {
    let mut command = Command::new(environment().join("bin/python"));
    as_in_a_users_shell(&mut command);
    command
        .env("MEMIT", MEMIT)
        // The sources stay as they are.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    command
}

fn environment() -> PathBuf {
    let requirements = tests_directory().join("requirements.txt");
    let pins = fs::read_to_string(&requirements).expect("tests/requirements.txt can be read");
    let version = run(
        Command::new("python3").arg("--version"),
        "the tests of Jupyter clients need Python 3: install `python3`",
    );
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
        );
        run(
            Command::new(unfinished.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--no-input"])
                .args(["--disable-pip-version-check", "-r"])
                .arg(&requirements),
            "the packages of tests/requirements.txt cannot be installed; is there a network?",
        );
        // Its scripts keep the old path, but `python -m` needs none of them.
        fs::rename(&unfinished, &finished).expect("a directory can be renamed");
    }
    finished
}

/// Runs a command that must succeed.
fn run(command: &mut Command, advice: &str) -> Output {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{advice}\n{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{advice}\n{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// Output of a program as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A command line that ran, and what it printed.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// Runs `command` with `input` to its end.
pub(crate) fn ran(command: &mut Command, input: &str) -> Ran {
    use std::io::Write as _;

    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // A program that reads none of it may have ended already.
    let _ = child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes());
    let output = child.wait_with_output().expect("a child can be waited for");
    Ran {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

impl Ran {
    /// Checks the exit code; shows what was printed if it is another.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}
