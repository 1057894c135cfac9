//! A pytest that runs tests by name and tells of each as it ends, with the plugin `records.py`.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::{self, JoinHandle};

use libtest_mimic::{Completion, Failed};
use serde::Deserialize;

use crate::support::{python, tests_directory, text};

/// What stands before a record.
const SEPARATOR: &str = "\x1e";

/// What the plugin tells of a test.
#[derive(Deserialize)]
pub(crate) struct Record {
    node: String,
    outcome: Outcome,
    /// The report of a failure, or why a test was skipped.
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Collected,
    Passed,
    Skipped,
    Failed,
}

impl Record {
    /// The record that ends `line`, and what a test has printed before it.
    fn split(line: &str) -> Option<(&str, Self)> {
        let (before, record) = line.split_once(SEPARATOR)?;
        Some((before, serde_json::from_str(record).expect("it is JSON")))
    }
}

/// pytest's ids of all tests, in the order in which they run.
pub(crate) fn nodes() -> Result<Vec<String>, String> {
    let mut pytest = pytest()?;
    let output = pytest.arg("--collect-only").output();
    let python = pytest.get_program().display();
    let output = output.map_err(|error| format!("{python}: {error}"))?;
    let printed = text(&output.stdout);
    // 5: there are no tests, with options from `PYTEST_ADDOPTS`.
    if !matches!(output.status.code(), Some(0 | 5)) {
        let (status, complaints) = (output.status, text(&output.stderr));
        return Err(format!(
            "{python} -m pytest: {status}\n{printed}{complaints}"
        ));
    }
    let records = printed.lines().filter_map(Record::split);
    Ok(records.map(|(_, record)| record.node).collect())
}

/// The name in `cargo test` of the test that pytest calls `node`.
pub(crate) fn name(node: &str) -> String {
    node.replacen(".py::", "::", 1)
}

fn pytest() -> Result<Command, String> {
    let mut pytest = python::command()?;
    pytest
        .args(["-m", "pytest", "-v", "-p", "records"])
        .current_dir(tests_directory().join("jupyter"))
        .stdin(Stdio::null());
    Ok(pytest)
}

/// Waits until pytest has run the test whose record comes through `receiver`.
pub(crate) fn wait(receiver: &Receiver<Record>) -> Result<Completion, Failed> {
    let Ok(record) = receiver.recv() else {
        return Err("pytest ended without a result of this test".into());
    };
    match record.outcome {
        Outcome::Passed => Ok(Completion::Completed),
        Outcome::Skipped => Ok(Completion::ignored_with(record.text)),
        Outcome::Failed => Err(record.text.into()),
        Outcome::Collected => Err("pytest did not run this test".into()),
    }
}

/// pytest while it runs tests.
pub(crate) struct Pytest {
    process: Child,
    /// Ends with all that pytest has printed besides records.
    reader: JoinHandle<String>,
}

impl Pytest {
    /// Starts pytest with the tests of `chosen`, whose records go to the senders. With `nocapture`,
    /// all is shown that pytest and the tests print.
    pub(crate) fn start(chosen: Vec<(String, Sender<Record>)>, nocapture: bool) -> Self {
        let mut pytest = pytest().expect("pytest has found the tests");
        if nocapture {
            pytest.arg("--capture=no");
        }
        let mut process = pytest
            .args(chosen.iter().map(|(node, _)| node))
            .stdout(Stdio::piped())
            .spawn()
            .expect("pytest has found the tests");
        let stdout = process.stdout.take().expect("it is piped");
        let reader = thread::spawn(move || pass_on(stdout, chosen, nocapture));
        Self { process, reader }
    }

    /// Waits for the end of pytest, and checks that pytest, too, `has_failed` or not.
    pub(crate) fn end(mut self, has_failed: bool) -> Result<(), String> {
        let printed = self.reader.join().expect("pytest's records can be read");
        let status = self.process.wait().expect("a child can be waited for");
        if status.code() == Some(i32::from(has_failed)) {
            Ok(())
        } else {
            Err(format!("pytest: {status}\n{printed}"))
        }
    }
}

/// Sends each record to its test, and returns what else pytest prints. With the end of the senders
/// no test waits any more.
fn pass_on(stdout: ChildStdout, chosen: Vec<(String, Sender<Record>)>, shows: bool) -> String {
    let mut senders: HashMap<String, Sender<Record>> = chosen.into_iter().collect();
    let mut printed = String::new();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = text(&line.expect("a pipe can be read"));
        let rest = match Record::split(&line) {
            None => line.as_str(),
            Some((rest, record)) => {
                if let Some(sender) = senders.remove(&record.node) {
                    sender.send(record).expect("the test waits");
                }
                if rest.is_empty() {
                    continue;
                }
                rest
            }
        };
        if shows {
            println!("{rest}");
        }
        printed.push_str(rest);
        printed.push('\n');
    }
    printed
}
