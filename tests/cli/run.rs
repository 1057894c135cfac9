//! `memit run`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::home::Home;
use crate::support::{memit, ran, validate};

/// A notebook with these code cells, tagged where there is a tag.
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
fn run_stops_at_a_question_mark_that_ends_a_cell() {
    let home = Home::new();
    let cells = [
        ("std::fs::File::open(\"/no/such/file\")?;", None),
        ("println!(\"not reached\");", None),
    ];
    let path = notebook(home.path(), &cells);
    let ran = ran(memit().arg("run").arg(&path), "").expect_code(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("error: No such file"), "{}", ran.stderr);
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

#[test]
fn run_reads_the_end_of_standard_input_also_after_a_failed_cell() {
    let home = Home::new();
    let cells = [
        ("panic!(\"back to a checkpoint\")", Some("raises-exception")),
        ("println!(\"{}\", std::io::stdin().lines().count());", None),
    ];
    let path = notebook(home.path(), &cells);
    let ran = ran(memit().arg("run").arg(&path), "not read").expect_code(0);
    assert_eq!(ran.stdout, "0\n");
}

#[test]
fn a_session_that_cannot_start_again_says_so() {
    let directory = tempfile::tempdir().expect("there is a directory for temporary files");
    let program = directory.path().join("memit");
    fs::copy(crate::support::MEMIT, &program).expect("the program can be copied");
    let cell = format!(
        "std::fs::remove_file({program:?})?;\n\
         let supervisor = std::os::unix::process::parent_id().to_string();\n\
         std::process::Command::new(\"kill\").args([\"-9\", &supervisor]).status()?;"
    );
    let cells = [(cell.as_str(), None), ("1 + 1", None)];
    let path = notebook(directory.path(), &cells);
    let mut command = std::process::Command::new(&program);
    command
        .arg("run")
        .arg(&path)
        .args(["--allow-errors", "--inplace"]);
    ran(command.env("MEMIT_HISTORY", "off"), "");
    for cell in read(&path)["cells"].as_array().expect("it has cells") {
        let error = &cell["outputs"][0];
        assert_eq!(error["ename"], "SessionError", "{error}");
        let message = error["evalue"].as_str().unwrap_or_default();
        assert!(
            message.starts_with("the Rust session could not be started: ")
                && !message.contains("Mutex"),
            "{message}"
        );
    }
}

#[test]
fn what_the_cells_have_cost_is_told_on_request() {
    let home = Home::new();
    let cells = [
        ("let v = std::hint::black_box(vec![1u8; 30 << 20]);", None),
        ("v.len()", None),
    ];
    let path = notebook(home.path(), &cells);
    let told = ran(memit().arg("run").arg(&path).arg("--costs"), "").expect_code(0);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines[0], "31457280");
    assert!(lines[1].trim_start().starts_with("Cell"), "{}", told.stdout);
    assert!(
        lines[2].contains("+30.0") && lines[2].ends_with("30 << 20]);"),
        "{}",
        told.stdout
    );
    assert!(lines[3].trim_start().starts_with("[2]"), "{}", told.stdout);

    let data = home.path().join("costs.json");
    let option = format!("--costs={}", data.display());
    let written = ran(memit().arg("run").arg(&path).arg(option), "").expect_code(0);
    assert_eq!(written.stdout, "31457280\n");
    let costs = read(&data);
    assert_eq!(costs["cells"].as_array().expect("cells").len(), 2);
    assert!(costs["cells"][0]["increment"].as_u64().expect("bytes") > 29 << 20);
}
