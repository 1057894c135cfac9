//! The directory and the cargo of a user who has settings of his own.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{Ran, memit, ran};

/// Settings each of which would break the builds of cells, in cargo's file.
const FILE: &str = r#"
[profile.dev]
panic = "abort"
opt-level = 0
codegen-units = 1
lto = "fat"
strip = "symbols"
incremental = false
rpath = false
debug = 2

[profile.release]
panic = "abort"

[build]
rustc-wrapper = "/bin/false"
rustc-workspace-wrapper = "/not/there"
target = "wasm32-unknown-unknown"
target-dir = "/not/there"
build-dir = "/not/there"
rustflags = ["-Cpanic=abort", "--cfg", "odd"]
incremental = false

[term]
color = "always"
verbose = true
progress = { when = "always", width = 80 }
"#;

fn directory() -> TempDir {
    tempfile::tempdir().expect("there is a directory for temporary files")
}

fn write(file: &Path, text: &str) {
    let directory = file.parent().expect("the file is in a directory");
    fs::create_dir_all(directory).expect("a temporary directory can be written");
    fs::write(file, text).expect("a temporary file can be written");
}

#[track_caller]
fn expect_values_and_a_panic(ran: Ran) {
    let ran = ran.expect_code(1);
    assert_eq!(ran.stdout, "2\nfalse\n[7, 7, 7]\n");
    assert!(ran.stderr.contains("panic: broken"), "{}", ran.stderr);
}

const CELLS: [&str; 6] = [
    "1 + 1",
    "cfg!(odd)",
    "let n = 7;",
    "%memit -q vec![n; 3]",
    "vec![n; 3]",
    "panic!(\"broken\")",
];

#[test]
fn settings_in_the_file_of_cargo_do_no_harm() {
    let home = directory();
    write(&home.path().join("config.toml"), FILE);
    let mut command = memit();
    command.arg("eval").args(CELLS);
    let ran = ran(command.env("CARGO_HOME", home.path()), "");
    expect_values_and_a_panic(ran);
}

#[test]
fn settings_above_a_notebook_do_no_harm() {
    let directory = directory();
    write(&directory.path().join(".cargo/config.toml"), FILE);
    let mut command = memit();
    command.arg("eval").args(CELLS);
    command.current_dir(directory.path());
    command.env("TMPDIR", directory.path());
    expect_values_and_a_panic(ran(&mut command, ""));
}

#[test]
fn a_notebook_may_be_in_a_workspace_and_a_directory_of_any_name() {
    let directory = directory();
    let workspace = directory.path().join("my notés 'of' rust");
    write(
        &workspace.join("Cargo.toml"),
        "[workspace]\nmembers = [\"shapes\"]\nresolver = \"3\"\n",
    );
    write(
        &workspace.join("shapes/Cargo.toml"),
        "[package]\nname = \"shapes\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    write(
        &workspace.join("shapes/src/lib.rs"),
        "pub fn sides() -> u8 { 3 }\n",
    );
    let temporary = directory.path().join("tem porär");
    fs::create_dir_all(&temporary).expect("a temporary directory can be written");
    for cell in [
        ":dep ./shapes\nshapes::sides()",
        ":dep shapes = { path = \"shapes\" }\nshapes::sides()",
    ] {
        let mut command = memit();
        command.args(["eval", cell, "%memit -q shapes::sides()", "1 + 1"]);
        command.current_dir(&workspace).env("TMPDIR", &temporary);
        let ran = ran(&mut command, "").expect_code(0);
        assert_eq!(ran.stdout, "3\n2\n", "{cell}");
    }
}
