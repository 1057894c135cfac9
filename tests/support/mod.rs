//! What the integration tests share: the program under test, and a Python to drive it with.

// Each test program uses a part of this.
#![allow(dead_code)]

pub(crate) mod python;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    memit_by("env", &["--default-signal=HUP,INT"])
}

/// The same, started by another program, which gets the path of `memit` behind these arguments.
pub(crate) fn memit_by(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg(MEMIT);
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

/// Python with the packages of `tests/requirements.txt`.
///
/// # Panics
///
/// If there is none, and none can be made.
pub(crate) fn python() -> Command {
    python::command().unwrap_or_else(|why| panic!("{why}"))
}

/// Checks that `notebook` is one that Jupyter accepts.
#[track_caller]
pub(crate) fn validate(notebook: &Path) {
    let script =
        "import sys, nbformat; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))";
    ran(python().args(["-c", script]).arg(notebook), "").expect_code(0);
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
