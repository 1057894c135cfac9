//! A directory to record in, and what the tests look at there.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::{self, Ran, memit_in_the_foreground, ran};

/// The program of `programs/worker.rs`.
pub(crate) fn worker() -> &'static str {
    static WORKER: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, path) = WORKER.get_or_init(|| {
        let directory = tempfile::tempdir().expect("there is a directory for temporary files");
        let program = directory.path().join("worker");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-O", "-o"]).arg(&program);
        rustc
            .arg(material("programs/worker.rs"))
            .current_dir(directory.path());
        ran(&mut rustc, "").expect_code(0);
        let path = program.to_str().expect("it is Unicode").to_owned();
        (directory, path)
    });
    path
}

pub(crate) fn material(name: &str) -> PathBuf {
    support::tests_directory().join("mprof").join(name)
}

/// A directory to record in.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("there is a directory for temporary files"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// `memit mprof` with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = memit_in_the_foreground();
        command
            .arg("mprof")
            .args(arguments)
            .current_dir(self.path());
        command.env("TZ", "UTC").env_remove("COLUMNS");
        command
    }

    pub(crate) fn mprof(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments), "")
    }

    /// Python's `mprof` with these arguments.
    pub(crate) fn pythons(&self, arguments: &[&str]) -> Ran {
        let mut python = support::python();
        python
            .args(["-m", "mprof"])
            .args(arguments)
            .current_dir(self.path());
        python.env("MPLBACKEND", "Agg").env(
            "MPLCONFIGDIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/matplotlib"),
        );
        ran(&mut python, "")
    }

    /// Records a run of the worker, and returns the profile.
    #[track_caller]
    pub(crate) fn record(&self, options: &[&str], steps: &[&str]) -> Profile {
        let arguments = [&["run", "-o", "x.dat"], options, &[worker()], steps].concat();
        self.mprof(&arguments).expect_code(0);
        self.profile("x.dat")
    }

    #[track_caller]
    pub(crate) fn profile(&self, name: &str) -> Profile {
        Profile(fs::read_to_string(self.path().join(name)).expect("it was written"))
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).expect("the directory is ours");
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }
}

/// The text of a profile.
pub(crate) struct Profile(pub(crate) String);

impl Profile {
    /// Sizes in MiB of the lines that start with `word`, of one child if it is named there.
    pub(crate) fn sizes(&self, word: &str) -> Vec<f64> {
        let rest = |line: &str| {
            line.strip_prefix(word)?
                .strip_prefix(' ')
                .map(str::to_owned)
        };
        let size = |rest: &str| rest.split(' ').next().and_then(|size| size.parse().ok());
        let rests = self.0.lines().filter_map(rest);
        rests
            .map(|rest| size(&rest).expect("it has a size"))
            .collect()
    }

    /// Times in seconds of the samples of the program.
    pub(crate) fn times(&self) -> Vec<f64> {
        let samples = self.0.lines().filter(|line| line.starts_with("MEM "));
        let time = |line: &str| line.split(' ').nth(2)?.parse().ok();
        samples
            .map(|line| time(line).expect("it has a time"))
            .collect()
    }

    pub(crate) fn peak(&self) -> f64 {
        self.sizes("MEM").into_iter().fold(0.0, f64::max)
    }

    /// The numbers of the children.
    pub(crate) fn children(&self) -> Vec<&str> {
        let mut children: Vec<_> = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix("CHLD ")?.split(' ').next())
            .collect();
        children.sort_unstable();
        children.dedup();
        children
    }
}

#[track_caller]
pub(crate) fn assert_between(value: f64, from: f64, to: f64) {
    assert!(
        from <= value && value <= to,
        "{value} is not in {from} to {to}"
    );
}

/// `memit mprof` in the background.
pub(crate) fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("memit starts")
}

/// The next line that it prints.
pub(crate) fn line(from: &mut impl std::io::Read) -> String {
    let mut line = String::new();
    BufReader::with_capacity(1, from)
        .read_line(&mut line)
        .expect("it prints a line");
    line.trim_end().to_owned()
}

pub(crate) fn send(signal: &str, process: u32) {
    let mut kill = Command::new("kill");
    ran(kill.args(["-s", signal, &process.to_string()]), "").expect_code(0);
}
