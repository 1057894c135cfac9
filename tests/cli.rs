//! The command line as users type it.

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{Ran, memit, ran};
use tempfile::TempDir;

/// An empty home for a user who has set nothing.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is a directory for temporary files"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn enter<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in [
            "JUPYTER_DATA_DIR",
            "JUPYTER_PATH",
            "XDG_DATA_HOME",
            "VIRTUAL_ENV",
            "CONDA_PREFIX",
        ] {
            command.env_remove(name);
        }
        command.env("HOME", self.path())
    }

    fn memit(&self, arguments: &[&str]) -> Ran {
        self.memit_with(&[], arguments)
    }

    fn memit_with(&self, variables: &[(&str, &Path)], arguments: &[&str]) -> Ran {
        let mut command = memit();
        self.enter(&mut command)
            .envs(variables.iter().copied())
            .args(arguments);
        ran(&mut command, "")
    }

    /// Where Jupyter itself finds the kernel `name`.
    fn found_by_jupyter(&self, variables: &[(&str, &Path)], name: &str) -> Option<PathBuf> {
        let mut python = support::python();
        self.enter(&mut python)
            .envs(variables.iter().copied())
            .args(["-c", FIND, name]);
        let found = ran(&mut python, "").expect_code(0).stdout;
        (!found.trim().is_empty()).then(|| PathBuf::from(found.trim()))
    }
}

const FIND: &str = "import sys; from jupyter_client.kernelspec import KernelSpecManager; \
    print(KernelSpecManager().find_kernel_specs().get(sys.argv[1], ''))";

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
fn every_subcommand_has_help_with_an_example() {
    let help = ran(memit().arg("--help"), "").expect_code(0).stdout;
    let (_, commands) = help.split_once("Commands:\n").expect("it lists commands");
    let names: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert_eq!(
        names,
        ["install", "uninstall", "kernel", "run", "eval", "mprof"]
    );
    for name in names {
        let help = ran(memit().args([name, "--help"]), "")
            .expect_code(0)
            .stdout;
        let (_, examples) = help
            .split_once("Example")
            .unwrap_or_else(|| panic!("no example in\n{help}"));
        assert!(examples.contains(&format!("memit {name}")), "{help}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let version = ran(memit().arg("--version"), "").expect_code(0).stdout;
    assert_eq!(version, concat!("memit ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_wrong_command_line_is_told_in_short_with_exit_code_2() {
    for arguments in [
        &["instal"][..],
        &["run"],
        &["install", "--user", "--sys-prefix"],
        &["run", "x.ipynb", "--timeout", "soon"],
        &["run", "x.ipynb", "--timeout", "0"],
        &["run", "x.ipynb", "--inplace", "-o", "y.ipynb"],
        &["install", "--name", "no good"],
    ] {
        let ran = ran(memit().args(arguments), "").expect_code(2);
        assert!(
            ran.stderr.starts_with("error: "),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "");
    }
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

#[test]
fn eval_prints_the_results_of_its_cells_in_order() {
    let ran = ran(
        memit().args([
            "eval",
            "let v: Vec<u32> = (1..=4).collect();",
            r#"println!("printed"); eprintln!("complained");"#,
            "v.iter().sum::<u32>()",
            "%memit -r 1 vec![1u8; 10 << 20]",
            "-",
        ]),
        "// from standard input\nlet w = v.len();\nw * 100",
    )
    .expect_code(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..2], ["printed", "10"]);
    assert!(
        lines[2].starts_with("peak memory: ") && lines[2].contains("increment: 10.0"),
        "{}",
        ran.stdout
    );
    assert_eq!(lines.last(), Some(&"400"));
    assert_eq!(ran.stderr, "complained\n");
}

#[test]
fn eval_reads_standard_input_if_there_is_nothing_else() {
    let ran = ran(memit().arg("eval"), "6 * 7\n").expect_code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("42\n", ""));
}

#[test]
fn eval_stops_at_the_first_error() {
    let ran = ran(
        memit().args(["eval", "1 + 1", "let n: u8 = missing;", "3 + 3"]),
        "",
    )
    .expect_code(1);
    assert_eq!(ran.stdout, "2\n");
    assert!(
        ran.stderr.contains("cannot find value `missing`") && ran.stderr.contains("cell:1:13"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn eval_of_a_panic_says_where() {
    let ran = ran(
        memit().args(["eval", "let n = 1;\npanic!(\"n is {n}\")"]),
        "",
    )
    .expect_code(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("n is 1"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--> cell:2:1"), "{}", ran.stderr);
}

/// A notebook with these code cells, tagged where there is a tag.
#[test]
fn without_a_toolchain_eval_says_what_is_missing() {
    let home = Home::new();
    let mut command = memit();
    command
        .env_clear()
        .env("PATH", home.path())
        .env("HOME", home.path())
        .args(["eval", "1"]);
    let ran = ran(&mut command, "").expect_code(1);
    assert!(
        ran.stderr
            .contains("no working Rust toolchain (`rustc` cannot be started"),
        "{}",
        ran.stderr
    );
}

fn notebook(directory: &Path, cells: &[(&str, Option<&str>)]) -> PathBuf {
    let cells: Vec<Value> = cells
        .iter()
        .enumerate()
        .map(|(index, (source, tag))| {
            json!({
                "cell_type": "code",
                "id": format!("cell-{index}"),
                "metadata": tag.map_or(json!({}), |tag| json!({"tags": [tag]})),
                "execution_count": 17,
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "stale"}],
                "source": source,
            })
        })
        .collect();
    let document = json!({
        "nbformat": 4, "nbformat_minor": 5, "metadata": {"of_the_user": [1, 2]}, "cells": cells,
    });
    let path = directory.join("notebook.ipynb");
    fs::write(&path, document.to_string()).expect("the directory is ours");
    path
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("it was written");
    serde_json::from_str(&text).expect("it is JSON")
}

#[track_caller]
fn validate(path: &Path) {
    let script =
        "import sys, nbformat; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))";
    let mut python = support::python();
    python.args(["-c", script]).arg(path);
    ran(&mut python, "").expect_code(0);
}

#[test]
fn run_executes_a_notebook_and_writes_it_where_it_is_told() {
    let home = Home::new();
    let path = notebook(
        home.path(),
        &[
            ("let n = 20;\nprintln!(\"first\");", None),
            ("panic!(\"skipped\")", Some("skip-execution")),
            ("panic!(\"expected\")", Some("raises-exception")),
            ("  \n", None),
            ("n + 1", None),
        ],
    );
    let before = fs::read_to_string(&path).expect("it was written");
    let out = home.path().join("executed.ipynb");
    let ran = ran(memit().arg("run").arg(&path).arg("-o").arg(&out), "").expect_code(0);
    assert!(
        ran.stdout.starts_with("first\n") && ran.stdout.ends_with("21\n"),
        "{}",
        ran.stdout
    );
    // Which cell runs.
    for line in [
        "[1/3] let n = 20; …",
        "[2/3] panic!",
        "[3/3] n + 1",
        "3 cells",
    ] {
        assert!(ran.stderr.contains(line), "{line}: {}", ran.stderr);
    }
    assert_eq!(
        fs::read_to_string(&path).expect("it is still there"),
        before,
        "the original is left alone"
    );

    validate(&out);
    let executed = read(&out);
    assert_eq!(executed["metadata"]["of_the_user"], json!([1, 2]));
    assert_eq!(executed["metadata"]["kernelspec"]["name"], "memit");
    assert_eq!(executed["metadata"]["language_info"]["name"], "rust");
    let cells = &executed["cells"];
    assert_eq!(
        cells[0]["outputs"],
        json!([{"output_type": "stream", "name": "stdout", "text": ["first\n"]}])
    );
    assert_eq!(cells[1]["outputs"], json!([]));
    assert_eq!(cells[1]["execution_count"], Value::Null);
    assert_eq!(cells[2]["outputs"][0]["output_type"], "error");
    assert_eq!(cells[2]["outputs"][0]["evalue"], "expected");
    assert_eq!(cells[3]["outputs"], json!([]));
    assert_eq!(cells[4]["outputs"][0]["data"]["text/plain"], json!(["21"]));
    assert_eq!(cells[4]["execution_count"], 3);
}

#[test]
fn run_stops_at_a_cell_that_fails_and_keeps_what_there_was() {
    let home = Home::new();
    let path = notebook(
        home.path(),
        &[
            ("1", None),
            ("let broken: u8 = nothing;", None),
            ("3", None),
        ],
    );
    let ran = ran(memit().arg("run").arg(&path).arg("--inplace"), "").expect_code(1);
    assert!(
        ran.stderr.contains("cannot find value `nothing`"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("Cell 2 of 3 failed"), "{}", ran.stderr);
    validate(&path);
    let executed = read(&path);
    let counts: Vec<&Value> = (0..3)
        .map(|cell| &executed["cells"][cell]["execution_count"])
        .collect();
    assert_eq!(counts, [&json!(1), &json!(2), &Value::Null]);
    assert_eq!(executed["cells"][1]["outputs"][0]["ename"], "CompileError");
    assert_eq!(executed["cells"][2]["outputs"], json!([]));
}

#[test]
fn run_goes_on_after_errors_and_time_limits_if_it_is_told_to() {
    let home = Home::new();
    let path = notebook(
        home.path(),
        &[
            ("fn kept() -> u8 { 5 }", None),
            ("println!(\"started\"); loop {}", None),
            ("%memit loop {}", None),
            ("kept()", None),
        ],
    );
    let ran = ran(
        memit()
            .arg("run")
            .arg(&path)
            .args(["--inplace", "--allow-errors", "--timeout", "10"]),
        "",
    )
    .expect_code(0);
    assert!(
        ran.stderr.contains("the cell took longer than 10 s"),
        "{}",
        ran.stderr
    );
    validate(&path);
    let cells = &read(&path)["cells"];
    assert_eq!(cells[1]["outputs"][0]["text"], json!(["started\n"]));
    assert_eq!(cells[1]["outputs"][1]["ename"], "TimeoutError");
    assert_eq!(cells[2]["outputs"][0]["ename"], "TimeoutError");
    assert_eq!(cells[3]["outputs"][0]["data"]["text/plain"], json!(["5"]));
}

#[test]
fn a_notebook_that_cannot_be_run_is_told_in_one_line() {
    let home = Home::new();
    let bad = home.path().join("bad.ipynb");
    for (content, says) in [
        (None, "cannot read"),
        (Some("{\"cells\": ["), "is not a notebook that can be run"),
        (Some("[1, 2]"), "it has no `nbformat`"),
        (
            Some("{\"nbformat\": 3, \"cells\": []}"),
            "it is nbformat 3, not 4",
        ),
        (Some("{\"nbformat\": 4}"), "it has no list of `cells`"),
    ] {
        if let Some(content) = content {
            fs::write(&bad, content).expect("the directory is ours");
        }
        let ran = ran(memit().arg("run").arg(&bad), "").expect_code(1);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(ran.stderr.contains("bad.ipynb"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

/// A connection file of a client that wants the traffic encrypted.
const CURVE: &str = r#"{"curve_publickey": "a", "curve_secretkey": "b"}"#;

#[test]
fn a_connection_file_that_cannot_be_used_is_told_in_one_line() {
    let home = Home::new();
    let file = home.path().join("connection.json");
    for (content, says) in [
        (None, "cannot read the connection file"),
        (Some("{}"), "`shell_port` is missing"),
        (Some("no JSON"), "not a JSON object"),
        (Some(CURVE), "asks for encryption with CURVE"),
    ] {
        if let Some(content) = content {
            fs::write(&file, content).expect("the directory is ours");
        }
        let ran = ran(
            memit().arg("kernel").arg("--connection-file").arg(&file),
            "",
        )
        .expect_code(1);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(ran.stderr.contains("connection.json"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_port_that_is_taken_is_told_in_one_line() {
    let home = Home::new();
    let file = home.path().join("connection.json");
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port();
    for name in ["shell", "iopub", "stdin", "control", "hb"] {
        let ports = ["shell", "iopub", "stdin", "control", "hb"].map(|each| {
            let free = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
            let free = free.local_addr().expect("it is bound").port();
            (
                format!("{each}_port"),
                json!(if each == name { port } else { free }),
            )
        });
        let connection = Value::Object(ports.into_iter().collect());
        fs::write(&file, connection.to_string()).expect("the directory is ours");
        let ran = ran(
            memit().arg("kernel").arg("--connection-file").arg(&file),
            "",
        )
        .expect_code(1);
        let socket = if name == "hb" { "heartbeat" } else { name };
        let says = format!(
            "memit: cannot listen for the {socket} socket at tcp://127.0.0.1:{port}: Address \
             already in use\n"
        );
        assert_eq!(ran.stderr, says);
    }
}
