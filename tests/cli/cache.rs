//! The cache of compiled dependencies, which sessions share.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

use crate::support::{Ran, memit, memit_by, ran};

/// A cell that depends on a small crate of the registry.
const CELL: &str = ":dep itoa = \"1\"\nitoa::Buffer::new().format(7).len()";
const COMPILING: &str = "Compiling itoa";

/// Mounts a small file system over the current directory.
const MOUNT: &str = "mount -t tmpfs -o size=32m none . && cd \"$PWD\"";

/// The variable of cargo's linker.
fn linker() -> String {
    let machine = std::env::consts::ARCH.to_uppercase();
    format!("CARGO_TARGET_{machine}_UNKNOWN_LINUX_GNU_LINKER")
}

/// A user with a cache of their own.
struct User(TempDir);

impl User {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("memit/dependencies")
    }

    /// Runs cells in a new session.
    fn eval(&self, cells: &[&str]) -> Ran {
        self.eval_with(&[], cells)
    }

    fn eval_with(&self, variables: &[(&str, &str)], cells: &[&str]) -> Ran {
        let mut command = memit();
        command
            .env("XDG_CACHE_HOME", self.0.path())
            .envs(variables.iter().copied())
            .arg("eval")
            .args(cells);
        ran(&mut command, "").expect_code(0)
    }

    /// Runs a cell in two sessions, one after the other. Their cache is a copy of the user's on a file system of
    /// its own, in which `prepare` has been run by the shell.
    fn eval_mounted(&self, prepare: &str, cell: &str) -> Ran {
        let mounted = self.0.path().join("mounted");
        fs::create_dir_all(&mounted).unwrap();
        fs::create_dir_all(self.cache()).unwrap();
        let script =
            format!("{MOUNT}; cp -a \"$PWD/../memit\" .; {prepare}; cd /; \"$@\"; exec \"$@\"");
        let arguments = ["-rm", "sh", "-ec", &script, "sh"];
        let mut command = memit_by("unshare", &arguments);
        command
            .env("XDG_CACHE_HOME", &mounted)
            .current_dir(&mounted)
            .args(["eval", cell]);
        ran(&mut command, "").expect_code(0)
    }

    /// Whether this machine allows [`Self::eval_mounted`]; the error says why not.
    fn can_mount(&self) -> Result<(), String> {
        let mut command = Command::new("unshare");
        command
            .args(["-rm", "sh", "-ec", MOUNT])
            .current_dir(self.0.path());
        match command.output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(format!("unshare: {error}")),
        }
    }

    /// Whether a new session compiles the crate.
    fn compiles(&self) -> bool {
        let ran = self.eval(&[CELL]);
        assert_eq!(ran.stdout, "1\n");
        ran.stderr.contains(COMPILING)
    }

    /// The compiled crates of packages in the cache.
    fn crates(&self) -> Vec<PathBuf> {
        let mut crates = self.files("rlib");
        crates.retain(|file| !file.to_string_lossy().contains("libmemit_"));
        crates
    }

    /// The linked libraries of dependencies in the cache.
    fn libraries(&self) -> Vec<PathBuf> {
        let mut libraries = self.files("so");
        libraries.retain(|file| file.to_string_lossy().contains("libmemit_dependencies_"));
        libraries
    }

    fn files(&self, of: &str) -> Vec<PathBuf> {
        let mut open = vec![self.cache()];
        let mut found = Vec::new();
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.extension().is_some_and(|ending| ending == of) {
                    found.push(path);
                }
            }
        }
        found
    }
}

#[test]
fn a_second_session_compiles_no_dependency_again() {
    let user = User::new();
    assert!(user.compiles());
    assert!(!user.compiles());
    let shown = user.eval(&["%cache", "%cache -c", "%cache"]).stdout;
    assert!(
        shown.contains("in 1 compiled package and 1 shared object\n"),
        "{shown}"
    );
    assert!(
        shown.contains("in 0 compiled packages and 0 shared objects\n"),
        "{shown}"
    );
    assert!(shown.contains("holds:      0.00 MiB in 0"), "{shown}");
    assert!(!user.cache().exists());
    assert!(user.compiles());
}

#[test]
fn other_features_and_levels_are_compiled_and_kept_beside() {
    let user = User::new();
    assert!(user.compiles());
    let slow = format!(":opt 0\n{CELL}");
    assert!(user.eval(&[&slow]).stderr.contains(COMPILING));
    assert!(!user.eval(&[&slow]).stderr.contains(COMPILING));
    assert!(!user.compiles());
    let flags = [("RUSTFLAGS", "--cfg other")];
    assert_eq!(
        user.eval_with(&flags, &[CELL]).stdout.lines().last(),
        Some("1")
    );
}

#[test]
fn units_that_cargo_gives_one_name_are_kept_side_by_side() {
    let linker = linker();
    let mapped = |to| format!(":build_env RUSTFLAGS=-Cprefer-dynamic --remap-path-prefix=/a={to}");
    let with_script = ":dep libc = \"0.2\"\nlibc::EOF + 2";
    for (variable, values, cells, compiling) in [
        (&*linker, ["cc", "gcc"], [CELL; 2], COMPILING),
        (
            "ANY",
            ["", ""],
            ["b", "c"].map(|to| &*format!("{}\n{CELL}", mapped(to)).leak()),
            COMPILING,
        ),
        // A build script asks cargo to look at the variable.
        (
            "LIBC_BUILD_VERBOSE",
            ["1", "2"],
            [with_script; 2],
            "Compiling libc",
        ),
    ] {
        let user = User::new();
        let compiles = |session: usize| {
            let ran = user.eval_with(&[(variable, values[session])], &[cells[session]]);
            assert_eq!(ran.stdout.lines().last(), Some("1"), "{}", ran.stdout);
            ran.stderr.contains(compiling)
        };
        assert!(compiles(0) && compiles(1), "{variable}");
        for session in [0, 1, 0, 1] {
            assert!(!compiles(session), "{variable}: {session}");
        }
    }
}

#[test]
fn other_versions_and_features_are_kept_beside() {
    let user = User::new();
    let first = "bitflags::bitflags! { struct F: u8 { const A = 7; } }\nF::A.bits";
    let first = &*format!(":dep bitflags = \"=1.3.2\"\n{first}");
    let second = "bitflags::parser::ParseError::empty_flag().to_string()";
    let second = &*format!(":dep bitflags = \"2\"\n{second}");
    let without = ":dep scopeguard = { version = \"1\", default-features = false }";
    let without = &*format!("{without}\n*scopeguard::guard(1, |_| ())");
    let with = "*scopeguard::guard_on_success(2, |_| ())";
    let with = &*format!(":dep scopeguard = \"1\"\n{with}");
    let sessions = [
        (first, "7\n"),
        (second, "\"encountered empty flag\"\n"),
        (without, "1\n"),
        (with, "2\n"),
    ];
    for is_compiled in [true, false] {
        for (cell, printed) in sessions {
            let ran = user.eval(&[cell]);
            assert_eq!(ran.stdout, printed);
            assert_eq!(ran.stderr.contains("Compiling"), is_compiled, "{cell}");
        }
    }
}

#[test]
fn an_update_of_the_toolchain_compiles_again_and_the_way_back_does_not() {
    let user = User::new();
    let toolchain = tempfile::tempdir().unwrap();
    let sysroot = ran(Command::new("rustc").args(["--print", "sysroot"]), "").stdout;
    let real = Path::new(sysroot.trim()).join("bin");
    symlink(real.join("cargo"), toolchain.path().join("cargo")).unwrap();
    // No rustup and no other toolchain.
    let path = format!("{}:/usr/bin:/bin", toolchain.path().display());
    let compiles = |(release, commit): (&str, &str)| {
        let rustc = toolchain.path().join("rustc");
        let real = real.join("rustc");
        let real = real.display();
        // The real compiler under another version, at the same path.
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in\n-vV|-Vv|-V|--version) {real} \"$@\" | sed \
             -e 's/^rustc [^ ]* ([^ ]*/rustc {release} ({commit}/' -e 's/^release: .*/release: {release}/' \
             -e 's/^commit-hash: .*/commit-hash: {commit}/' ;;\n*) exec {real} \"$@\" ;;\nesac\n"
        );
        fs::write(&rustc, script).unwrap();
        fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
        let ran = user.eval_with(&[("PATH", &path)], &[CELL]);
        assert_eq!(ran.stdout, "1\n");
        ran.stderr.contains(COMPILING)
    };
    // cargo gives the units of two nightly compilers the same names.
    let versions = [
        ("1.98.0", "0123abc"),
        ("1.99.0", "456789d"),
        ("1.99.0-nightly", "aaaaaaa"),
        ("1.99.0-nightly", "bbbbbbb"),
    ];
    for version in versions {
        assert!(compiles(version), "{version:?}");
    }
    for version in versions {
        assert!(!compiles(version), "{version:?}");
    }
}

#[test]
fn a_damaged_file_is_compiled_again() {
    let user = User::new();
    assert!(user.compiles());
    for damage in [
        |file: &Path| fs::write(file, "damaged").unwrap(),
        |file: &Path| fs::remove_file(file).unwrap(),
        |file: &Path| {
            let mut bytes = fs::read(file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(file, bytes).unwrap();
        },
    ] {
        let crates = user.crates();
        assert_eq!(crates.len(), 1);
        damage(&crates[0]);
        assert!(user.compiles());
        assert!(!user.compiles());
    }
    for list in ["{", "[]"] {
        let unit = user.crates()[0].ancestors().nth(4).unwrap().to_owned();
        fs::write(unit.join("files.json"), list).unwrap();
        assert!(user.compiles(), "{list}");
    }
}

#[test]
fn what_one_crate_has_needed_is_compiled_for_no_other() {
    let user = User::new();
    let above = ":dep lock_api = \"0.4\"\nuse lock_api::RawMutex;";
    let below = ":dep scopeguard = { version = \"1\", default-features = false }";
    let below = &format!("{below}\n*scopeguard::guard(1, |_| ())");
    let compiled = |cells: &[&str]| user.eval(cells).stderr.matches("Compiling").count();
    assert_eq!(compiled(&[above]), 2);
    assert_eq!(compiled(&[below]), 0);
    assert_eq!(compiled(&[above, below]), 0);
    // Each command makes cargo forget the packages of the others for a moment.
    let together = format!(":dep itoa = \"1\"\n:dep lock_api = \"0.4\"\n{below}");
    assert_eq!(compiled(&[&together]), 1);
    assert_eq!(compiled(&[&together]), 0);
}

#[test]
fn a_session_gets_only_what_it_needs() {
    let user = User::new();
    assert!(user.compiles());
    user.eval(&[&format!(":opt 0\n{CELL}")]);
    let mut lists = user.files("json");
    lists.retain(|list| list.ends_with("files.json") && list.to_string_lossy().contains("/itoa-"));
    assert_eq!(lists.len(), 2);
    let before: Vec<_> = lists.iter().map(|list| identity(list)).collect();
    assert!(!user.compiles());
    let changed = lists
        .iter()
        .zip(before)
        .filter(|(list, before)| identity(list) != *before);
    assert_eq!(changed.count(), 1);
    // A session that changes the level has both.
    let both = user.eval(&[CELL, &format!(":opt 0\n{CELL}")]);
    assert!(!both.stderr.contains(COMPILING), "{}", both.stderr);
}

#[test]
fn what_is_added_later_in_a_session_is_kept() {
    let user = User::new();
    let slow = format!(":opt 0\n{CELL}");
    let first = user.eval(&["1", CELL, &slow]).stderr;
    assert_eq!(first.matches(COMPILING).count(), 2, "{first}");
    for cell in [CELL, &slow] {
        assert!(!user.eval(&[cell]).stderr.contains(COMPILING));
    }
}

/// What tells one version of a file from another.
fn identity(file: &Path) -> (u64, SystemTime) {
    let metadata = fs::metadata(file).unwrap();
    (metadata.ino(), metadata.modified().unwrap())
}

#[test]
fn a_second_session_links_no_dependency_again() {
    let user = User::new();
    assert!(user.compiles());
    let libraries = user.libraries();
    let before = identity(&libraries[0]);
    let list = libraries[0].with_file_name("files.json");
    let first_use = identity(&list).1;
    assert!(!user.compiles());
    assert_eq!(user.libraries(), libraries);
    assert_eq!(identity(&libraries[0]), before);
    assert!(identity(&list).1 > first_use);
    // Another set of crates is another library.
    user.eval(&[&format!(":dep scopeguard = \"1\"\n{CELL}")]);
    assert_eq!(user.libraries().len(), 2);
}

#[test]
fn a_damaged_library_is_linked_again() {
    let user = User::new();
    assert!(user.compiles());
    for damage in [
        |file: &Path| fs::write(file, "damaged").unwrap(),
        |file: &Path| fs::remove_file(file).unwrap(),
        |file: &Path| fs::write(file.with_file_name("files.json"), "{").unwrap(),
    ] {
        let libraries = user.libraries();
        assert_eq!(libraries.len(), 1);
        let before = identity(&libraries[0]);
        damage(&libraries[0]);
        assert!(!user.compiles());
        assert_ne!(identity(&user.libraries()[0]), before);
    }
}

#[test]
fn a_session_keeps_its_dependencies_when_the_cache_is_cleared() {
    let user = User::new();
    assert!(user.compiles());
    let again = "itoa::Buffer::new().format(42).len()";
    let ran = user.eval(&[CELL, "%cache -c", again, "%undo", again]);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(
        (lines[0], lines[2], lines.last()),
        ("1", "2", Some(&"2")),
        "{}",
        ran.stdout
    );
    assert!(!ran.stderr.contains(COMPILING));
}

#[test]
fn a_cache_that_cannot_be_used_costs_no_result() {
    for make in [
        |cache: &Path| fs::write(cache, "a file").unwrap(),
        // No user may write there.
        |cache: &Path| symlink("/proc/self", cache).unwrap(),
        |cache: &Path| symlink("/dev/full", cache).unwrap(),
    ] {
        let user = User::new();
        make(&user.0.path().join("memit"));
        assert!(user.compiles());
        assert!(user.compiles());
    }
    let user = User::new();
    for _ in 0..2 {
        let off = user.eval_with(&[("MEMIT_CACHE", "off")], &[CELL, "%cache"]);
        assert!(off.stderr.contains(COMPILING));
        assert!(off.stdout.contains("is off"), "{}", off.stdout);
    }
    assert!(!user.cache().exists());
}

#[test]
fn a_full_or_read_only_file_system_costs_no_result() {
    const FULL: &str = "! cat /dev/zero > full 2>&-";
    const ALMOST_FULL: &str =
        "head -c 65536 /dev/zero > room; ! cat /dev/zero > full 2>&-; rm room";
    const READ_ONLY: &str = "mount -o remount,ro .";
    let user = User::new();
    if let Err(why) = user.can_mount() {
        // The test harness shows what is written so, also if the test passes.
        let _ = writeln!(
            io::stderr(),
            "the test of full file systems is LEFT OUT: {why}"
        );
        return;
    }
    let compiled = |prepare: &str, cell: &str, printed: &str| {
        let ran = user.eval_mounted(prepare, cell);
        assert_eq!(ran.stdout, printed.repeat(2), "{prepare}: {}", ran.stderr);
        ran.stderr.matches("Compiling").count()
    };
    for prepare in [FULL, READ_ONLY] {
        assert_eq!(compiled(prepare, CELL, "1\n"), 2, "{prepare}");
    }
    assert!(compiled(ALMOST_FULL, CELL, "1\n") <= 2);
    assert!(user.compiles());
    let other = ":dep scopeguard = \"1\"\n*scopeguard::guard(2, |_| ())";
    for prepare in [FULL, READ_ONLY] {
        assert_eq!(compiled(prepare, CELL, "1\n"), 0, "{prepare}");
        assert_eq!(compiled(prepare, other, "2\n"), 2, "{prepare}");
    }
    fs::write(&user.crates()[0], "damaged").unwrap();
    for prepare in [FULL, READ_ONLY] {
        assert!(compiled(prepare, CELL, "1\n") > 0, "{prepare}");
    }
}

#[test]
fn the_cache_is_bounded() {
    let user = User::new();
    let ran = user.eval_with(&[("MEMIT_CACHE", "0")], &[CELL]);
    assert_eq!(ran.stdout, "1\n");
    assert!(user.crates().is_empty() && user.libraries().is_empty());
    assert!(user.files("json").is_empty());
}

#[test]
fn sessions_at_the_same_time_share_the_cache() {
    let user = User::new();
    std::thread::scope(|scope| {
        let sessions = [(); 3].map(|()| scope.spawn(|| user.compiles()));
        for session in sessions {
            session.join().unwrap();
        }
    });
    assert!(!user.compiles());
    assert_eq!(user.crates().len(), 1);
    // Other linkers make other units under the same name.
    let linker = &*linker();
    for is_first in [true, false] {
        std::thread::scope(|scope| {
            let user = &user;
            let run = |of| move || user.eval_with(&[(linker, of)], &[CELL]);
            for session in ["cc", "gcc"].map(|of| scope.spawn(run(of))) {
                let ran = session.join().unwrap();
                assert_eq!(ran.stdout, "1\n");
                assert_eq!(ran.stderr.contains(COMPILING), is_first);
            }
        });
    }
    assert_eq!(user.crates().len(), 3);
    assert!(!user.compiles());
}

#[test]
fn a_crate_on_this_machine_is_compiled_in_each_session() {
    let user = User::new();
    let package = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = package.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"local-crate\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         [dependencies]\nitoa = \"1\"\n",
    );
    let path = package.path().display();
    let cell = format!(":dep local-crate = {{ path = \"{path}\" }}\nlocal_crate::number()");
    for number in ["1", "2"] {
        write(
            "src/lib.rs",
            &format!("pub fn number() -> i32 {{ {number} }}"),
        );
        let ran = user.eval(&[&cell]);
        assert_eq!(ran.stdout, format!("{number}\n"));
        // What the crate needs comes from a registry.
        assert_eq!(ran.stderr.contains(COMPILING), number == "1");
    }
}

#[test]
fn the_crate_of_all_cells_is_compiled_once_for_a_compiler() {
    let user = User::new();
    let toolchain = tempfile::tempdir().unwrap();
    let sysroot = ran(Command::new("rustc").args(["--print", "sysroot"]), "").stdout;
    let real = Path::new(sysroot.trim()).join("bin");
    symlink(real.join("cargo"), toolchain.path().join("cargo")).unwrap();
    let (rustc, noted) = (
        toolchain.path().join("rustc"),
        toolchain.path().join("noted"),
    );
    let real = real.join("rustc");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {}\nexec {} \"$@\"\n",
        noted.display(),
        real.display()
    );
    fs::write(&rustc, script).unwrap();
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", toolchain.path().display());
    let compiles = || {
        let _ = fs::remove_file(&noted);
        let printed = user.eval_with(&[("PATH", &path)], &["let n = 3;", "n + 1"]);
        assert_eq!(printed.stdout, "4\n");
        let commands = fs::read_to_string(&noted).unwrap();
        commands
            .lines()
            .any(|command| command.contains("--crate-name=memit_session"))
    };
    assert!(compiles());
    assert!(!compiles());
    let mut crates = user.files("rlib").into_iter();
    let kept = crates.find(|file| file.ends_with("libmemit_session.rlib"));
    fs::write(kept.unwrap(), "damaged").unwrap();
    assert!(compiles());
    assert!(!compiles());
}
