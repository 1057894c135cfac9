//! The compiler of a cell, which starts before its arguments are known.
//!
//! Much of the time of a small cell passes until the libraries of rustc are loaded. rustc takes its arguments
//! from a file, here a pipe, so it can load its libraries while the cell is being prepared.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Makes rustc read its arguments from standard input, one in a line.
const ARGUMENTS_FROM_INPUT: &str = "@/dev/stdin";

/// How rustc says that it cannot read its arguments, as without `/proc`.
const NO_ARGUMENTS: &str = "failed to load argument file";

/// The compiler of a cell.
pub(super) struct Rustc {
    program: OsString,
    /// Where rustc runs.
    directory: PathBuf,
    /// A rustc that waits for its arguments.
    waiting: Cell<Option<Child>>,
}

impl Rustc {
    /// Starts rustc.
    pub(super) fn start(program: &OsStr, directory: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .arg(ARGUMENTS_FROM_INPUT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            program: program.to_owned(),
            directory: directory.to_owned(),
            // Without this process, rustc starts when it is needed, and an error is told then.
            waiting: Cell::new(command.spawn().ok()),
        }
    }

    pub(super) fn program(&self) -> &OsStr {
        &self.program
    }

    /// rustc with these arguments, which starts anew.
    pub(super) fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.directory).args(arguments);
        command
    }

    /// What rustc says to these arguments.
    pub(super) fn output(&self, arguments: &[String]) -> io::Result<Output> {
        let is_line = |argument: &String| !argument.contains(['\n', '\r']);
        if arguments.iter().all(is_line)
            && let Some(waiting) = self.waiting.take()
            && let Ok(output) = answer(waiting, arguments)
            && !has_no_arguments(&output)
        {
            return Ok(output);
        }
        self.command(arguments).output()
    }
}

fn answer(mut waiting: Child, arguments: &[String]) -> io::Result<Output> {
    if let Some(mut input) = waiting.stdin.take() {
        input.write_all(arguments.join("\n").as_bytes())?;
    }
    waiting.wait_with_output()
}

fn has_no_arguments(output: &Output) -> bool {
    !output.status.success() && String::from_utf8_lossy(&output.stderr).contains(NO_ARGUMENTS)
}

impl Drop for Rustc {
    fn drop(&mut self) {
        if let Some(mut waiting) = self.waiting.take() {
            // It waits, so nothing is lost. If it has ended, there is nothing to end.
            let _ = waiting.kill();
            let _ = waiting.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_reach_the_waiting_rustc_and_the_next() {
        let rustc = Rustc::start(OsStr::new("rustc"), Path::new("/"));
        let arguments = ["--print", "crate-name", "--crate-name", "a", "-"].map(str::to_owned);
        for _ in 0..2 {
            let output = rustc.output(&arguments).unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "a");
        }
    }

    #[test]
    fn a_rustc_that_nobody_needs_ends() {
        let rustc = Rustc::start(OsStr::new("rustc"), Path::new("/"));
        let waiting = rustc.waiting.take().unwrap();
        let id = waiting.id();
        rustc.waiting.set(Some(waiting));
        drop(rustc);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_rustc_that_cannot_read_its_arguments_starts_anew() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("rustc");
        let script =
            "#!/bin/sh\ncase $1 in @*) exec rustc @/not/there;; *) exec rustc \"$@\";; esac\n";
        std::fs::write(&program, script).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, executable).unwrap();
        let rustc = Rustc::start(program.as_os_str(), Path::new("/"));
        let arguments = ["--print", "crate-name", "--crate-name", "a", "-"].map(str::to_owned);
        let output = rustc.output(&arguments).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "a");
    }

    #[test]
    fn an_argument_of_two_lines_stays_one() {
        let rustc = Rustc::start(OsStr::new("echo"), Path::new("/"));
        let output = rustc.output(&["a\nb".to_owned()]).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "a\nb\n");
    }
}
