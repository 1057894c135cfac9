//! `memit install` and `memit uninstall`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::home::Home;
use crate::support::{self, Ran};

fn kernel_json(directory: &Path) -> Value {
    let text = fs::read_to_string(directory.join("kernel.json")).expect("it is installed");
    serde_json::from_str(&text).expect("it is JSON")
}

/// The directory that `memit install` has printed.
#[track_caller]
fn printed_path(ran: Ran) -> PathBuf {
    let ran = ran.expect_code(0);
    let path = PathBuf::from(ran.stdout.trim_end());
    assert!(path.is_absolute(), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 1);
    path
}

#[test]
fn install_writes_a_kernelspec_that_jupyter_finds_and_uninstall_removes_it() {
    let home = Home::new();
    let directory = printed_path(home.memit(&["install", "--user"]));
    assert_eq!(
        directory,
        home.path().join(".local/share/jupyter/kernels/memit")
    );
    assert_eq!(
        kernel_json(&directory),
        json!({
            "argv": [support::MEMIT, "kernel", "--connection-file", "{connection_file}"],
            "display_name": "Rust (memit)",
            "language": "rust",
            "interrupt_mode": "message",
            "env": {},
            "metadata": {"debugger": false},
        })
    );
    for (logo, signature) in [
        ("logo-32x32.png", &b"\x89PNG\r\n\x1a\n"[..]),
        ("logo-64x64.png", b"\x89PNG\r\n\x1a\n"),
        ("logo-svg.svg", b"<svg"),
    ] {
        let bytes = fs::read(directory.join(logo)).expect("the logo is there");
        assert!(bytes.starts_with(signature), "{logo}");
    }
    assert_eq!(home.found_by_jupyter(&[], "memit"), Some(directory.clone()));

    let removed = printed_path(home.memit(&["uninstall"]));
    assert_eq!(removed, directory);
    assert!(!directory.exists());
    assert_eq!(home.found_by_jupyter(&[], "memit"), None);

    let again = home.memit(&["uninstall"]).expect_code(1);
    assert!(
        again.stderr.contains("no kernelspec named `memit`"),
        "{}",
        again.stderr
    );
    assert_eq!(again.stderr.lines().count(), 1);
}

#[test]
fn jupyters_own_data_directory_is_used_if_it_is_set() {
    let home = Home::new();
    let data = home.path().join("data of jupyter");
    let variables = [("JUPYTER_DATA_DIR", data.as_path())];
    let directory = printed_path(home.memit_with(&variables, &["install"]));
    assert_eq!(directory, data.join("kernels/memit"));
    assert_eq!(
        home.found_by_jupyter(&variables, "memit"),
        Some(directory.clone())
    );
    printed_path(home.memit_with(&variables, &["uninstall", "--user"]));
    assert!(!directory.exists());
}

#[test]
fn an_empty_data_directory_counts_as_not_set() {
    let home = Home::new();
    let variables = [
        ("JUPYTER_DATA_DIR", Path::new("")),
        ("XDG_DATA_HOME", Path::new("")),
    ];
    let directory = printed_path(home.memit_with(&variables, &["install"]));
    assert_eq!(
        directory,
        home.path().join(".local/share/jupyter/kernels/memit")
    );
    assert_eq!(home.found_by_jupyter(&variables, "memit"), Some(directory));
}

#[test]
fn the_data_directory_of_the_desktop_is_honoured() {
    let home = Home::new();
    let data = home.path().join("xdg");
    let variables = [("XDG_DATA_HOME", data.as_path())];
    let directory = printed_path(home.memit_with(&variables, &["install"]));
    assert_eq!(directory, data.join("jupyter/kernels/memit"));
    assert_eq!(home.found_by_jupyter(&variables, "memit"), Some(directory));
}

#[test]
fn a_prefix_a_name_and_a_display_name_can_be_chosen() {
    let home = Home::new();
    let prefix = home.path().join("opt");
    let prefix = prefix.to_str().expect("it is Unicode");
    let directory = printed_path(home.memit(&[
        "install",
        "--prefix",
        prefix,
        "--name",
        "rust-of-mine",
        "--display-name",
        "Rust, “mine”",
    ]));
    assert_eq!(
        directory,
        Path::new(prefix).join("share/jupyter/kernels/rust-of-mine")
    );
    assert_eq!(kernel_json(&directory)["display_name"], "Rust, “mine”");
    let search = Path::new(prefix).join("share/jupyter");
    let found = home.found_by_jupyter(&[("JUPYTER_PATH", &search)], "rust-of-mine");
    assert_eq!(found.as_ref(), Some(&directory));

    // Another name is another kernel.
    home.memit(&["uninstall", "--prefix", prefix])
        .expect_code(1);
    assert!(directory.exists());
    printed_path(home.memit(&["uninstall", "--prefix", prefix, "--name", "rust-of-mine"]));
    assert!(!directory.exists());
}

#[test]
fn the_active_python_environment_can_be_chosen() {
    let home = Home::new();
    let venv = home.path().join("venv");
    let variables = [("VIRTUAL_ENV", venv.as_path())];
    let directory = printed_path(home.memit_with(&variables, &["install", "--sys-prefix"]));
    assert_eq!(directory, venv.join("share/jupyter/kernels/memit"));
    printed_path(home.memit_with(&variables, &["uninstall", "--sys-prefix"]));
    assert!(!directory.exists());
}
