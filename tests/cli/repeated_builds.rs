//! Builds of cells that need no cargo.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{memit, ran};

/// A toolchain whose cargo notes its commands.
struct Toolchain(TempDir);

impl Toolchain {
    fn new() -> Self {
        let toolchain = Self(tempfile::tempdir().unwrap());
        toolchain.script("cargo", "echo \"$*\" >> \"$(dirname \"$0\")/commands\"");
        toolchain.script("rustc", "");
        toolchain
    }

    fn script(&self, name: &str, first: &str) {
        let output = Command::new("rustc")
            .args(["--print", "sysroot"])
            .output()
            .unwrap();
        let sysroot = String::from_utf8(output.stdout).unwrap();
        let program = Path::new(sysroot.trim()).join("bin").join(name);
        let script = format!("#!/bin/sh\n{first}\nexec {} \"$@\"\n", program.display());
        let path = self.0.path().join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs cells; returns what they print, and how often cargo has built.
    fn eval(&self, cells: &[&str]) -> (String, usize) {
        let (printed, commands) = self.commands(cells);
        let builds = commands
            .lines()
            .filter(|command| command.starts_with("build"));
        (printed, builds.count())
    }

    /// Runs cells; returns what they print, and the commands of cargo.
    fn commands(&self, cells: &[&str]) -> (String, String) {
        let commands = self.0.path().join("commands");
        let _ = fs::remove_file(&commands);
        // No rustup and no other cargo.
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let mut command = memit();
        command.env("PATH", path).arg("eval").args(cells);
        let ran = ran(&mut command, "").expect_code(0);
        (ran.stdout, fs::read_to_string(commands).unwrap())
    }
}

#[test]
fn cells_are_built_without_cargo() {
    let toolchain = Toolchain::new();
    let (_, first) = toolchain.eval(&["1"]);
    let (printed, three) = toolchain.eval(&["1", "fn f() -> i32 { 2 }", "f()", "let x = 3; x"]);
    assert_eq!(printed, "1\n2\n3\n");
    assert_eq!(three, first);
    let (_, with_dependency) = toolchain.eval(&[":dep itoa = \"1\"", "itoa::Buffer::new();", "2"]);
    assert!(with_dependency > first);
}

#[test]
fn the_analyser_reads_no_dependency_that_nobody_asks_about() {
    let toolchain = Toolchain::new();
    let cells = [":dep itoa = \"1\"", "itoa::Buffer::new().format(1).len()"];
    let (printed, commands) = toolchain.commands(&cells);
    assert_eq!(printed, "1\n");
    let of_analyser = commands
        .lines()
        .filter(|command| command.contains("--manifest-path"));
    let (alone, packages): (Vec<_>, Vec<_>) = of_analyser.partition(|command| {
        command.starts_with("locate-project") || command.contains("--no-deps")
    });
    assert_eq!((alone.len(), packages.len()), (2, 0), "{commands}");
}

#[test]
fn a_build_script_gets_the_answers_of_cargo() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"asking\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(package.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(package.path().join("src/lib.rs"), "").unwrap();
    let script = r#"fn main() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let mut cargo = std::process::Command::new("cargo");
        cargo.args(["metadata", "--format-version=1", "--manifest-path", manifest]);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("asking"));
    }"#;
    fs::write(package.path().join("build.rs"), script).unwrap();
    let path = package.path().display();
    let cell = format!(":dep asking = {{ path = \"{path}\" }}\n1");
    let ran = ran(memit().args(["eval", &cell]), "").expect_code(0);
    assert_eq!(ran.stdout, "1\n");
}

#[test]
fn what_changes_the_build_is_noticed() {
    let toolchain = Toolchain::new();
    let is_optimised = "!cfg!(debug_assertions)";
    let (printed, _) = toolchain.eval(&[
        is_optimised,
        ":build_env CARGO_PROFILE_DEV_DEBUG_ASSERTIONS=true",
        is_optimised,
    ]);
    let values: Vec<_> = printed
        .lines()
        .filter(|line| !line.starts_with("Set"))
        .collect();
    assert_eq!(values, ["true", "false"]);
}

#[test]
fn a_crate_on_this_machine_is_looked_at_for_each_cell() {
    let toolchain = Toolchain::new();
    let package = tempfile::tempdir().unwrap();
    let source = package.path().join("src");
    fs::create_dir(&source).unwrap();
    let manifest = "[package]\nname = \"changing\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(package.path().join("Cargo.toml"), manifest).unwrap();
    let library = source.join("lib.rs");
    fs::write(&library, "pub fn number() -> i32 { 1 }").unwrap();
    let dependency = format!(
        ":dep changing = {{ path = \"{}\" }}",
        package.path().display()
    );
    let change = format!(
        "std::fs::write({:?}, \"pub fn number() -> i32 {{ 2 }}\").unwrap();",
        library.display()
    );
    let cells = [
        &*dependency,
        "changing::number()",
        &change,
        "changing::number()",
    ];
    assert_eq!(toolchain.eval(&cells).0, "1\n2\n");
}

#[test]
fn a_dependency_that_has_vanished_is_built_again() {
    let toolchain = Toolchain::new();
    let remove = "!for d in $TMPDIR/.tmp*/target/*/debug/deps; do rm -f $d/libitoa*; done";
    let temporary = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/bin:/bin", toolchain.0.path().display());
    let mut command = memit();
    command
        .env("PATH", path)
        .env("TMPDIR", temporary.path())
        .args([
            "eval",
            ":dep itoa = \"1\"",
            "itoa::Buffer::new().format(1).len()",
            remove,
        ])
        .arg("itoa::Buffer::new().format(22).len()");
    let ran = ran(&mut command, "").expect_code(0);
    let values: Vec<_> = ran.stdout.lines().filter(|line| line.len() == 1).collect();
    assert_eq!(values, ["1", "2"]);
}

#[test]
fn shell_lines_reach_the_users_own_cargo() {
    let toolchain = Toolchain::new();
    for line in ["!cargo --version", "!PATH=/nowhere:$PATH cargo --version"] {
        let (printed, _) = toolchain.eval(&[line]);
        assert!(printed.starts_with("cargo "), "{printed}");
    }
}
