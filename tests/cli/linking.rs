//! Who links cells: lld itself, or the C compiler where it has to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{memit, ran};

/// A machine whose C compiler notes its commands.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        let script =
            "#!/bin/sh\necho \"$*\" >> \"$(dirname \"$0\")/commands\"\nexec /usr/bin/cc \"$@\"\n";
        let path = machine.path().join("cc");
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        machine
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs cells; returns what they print, and how often the C compiler has linked.
    fn eval(&self, variables: &[(&str, &str)], cells: &[&str]) -> (String, usize) {
        let commands = self.path().join("commands");
        let _ = fs::remove_file(&commands);
        let path = format!(
            "{}:{}",
            self.path().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = memit();
        command
            .env("PATH", path)
            .envs(variables.iter().copied())
            .arg("eval")
            .args(cells);
        let ran = ran(&mut command, "").expect_code(0);
        let commands = fs::read_to_string(commands).unwrap_or_default();
        let linked = commands
            .lines()
            .filter(|command| command.contains("-shared"));
        (ran.stdout, linked.count())
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn cells_are_linked_without_the_c_compiler() {
    let cells = [
        "1",
        "let x = 3; x",
        "fn f() -> i32 { 4 }",
        "f()",
        "%memit -q f()",
    ];
    let machine = Machine::new();
    // evcxr starts a session with a cell of its own.
    let (_, first) = machine.eval(&[], &cells[..1]);
    let (printed, linked) = machine.eval(&[], &cells);
    assert_eq!((printed.as_str(), linked), ("1\n3\n4\n", first));
}

#[test]
fn what_only_the_c_compiler_finds_is_linked_by_the_c_compiler() {
    let machine = Machine::new();
    let source = machine.path().join("five.c");
    fs::write(&source, "int five(void) { return 5; }\n").unwrap();
    let compiled = Command::new("/usr/bin/cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([machine.path().join("libfive.so"), source])
        .status();
    assert!(compiled.unwrap().success());
    let directory = machine.path().to_str().unwrap();
    // The compiler driver alone reads the first of these variables.
    let variables = [("LIBRARY_PATH", directory), ("LD_LIBRARY_PATH", directory)];
    let declared = "#[link(name = \"five\")] unsafe extern \"C\" { safe fn five() -> i32; }";
    let cells = [&*format!("{declared}\nfive()"), "five() + 1"];
    let (printed, _) = machine.eval(&variables, &cells);
    assert_eq!(printed, "5\n6\n");
}

#[test]
fn a_linker_of_the_users_choice_links() {
    let machine = Machine::new();
    let chosen = machine.path().join("cc");
    let variable = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER";
    let variables = [(variable, chosen.to_str().unwrap())];
    let (printed, linked) = machine.eval(&variables, &["1", "2"]);
    assert_eq!(printed, "1\n2\n");
    assert!(linked >= 2, "{linked}");
}
