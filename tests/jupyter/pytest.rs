//! Pytests that run tests by name, with two plugins: by `turns.py` they share the files, and by
//! `records.py` they tell of each test as it ends.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, PipeReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
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

/// pytest's ids of all tests, in the order in which they start. Files with many tests come first, so
/// that all pytests end at about the same time.
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
    let nodes: Vec<String> = records.map(|(_, record)| record.node).collect();
    let mut files: Vec<&[String]> = files(&nodes).collect();
    files.sort_by_key(|nodes| Reverse(nodes.len()));
    Ok(files.concat())
}

/// The tests of each file.
fn files(nodes: &[String]) -> impl Iterator<Item = &[String]> {
    fn file(node: &str) -> Option<&str> {
        node.split("::").next()
    }
    nodes.chunk_by(|one, next| file(one) == file(next))
}

/// The name in `cargo test` of the test that pytest calls `node`.
pub(crate) fn name(node: &str) -> String {
    node.replacen(".py::", "::", 1)
}

fn pytest() -> Result<Command, String> {
    let mut pytest = python::command()?;
    pytest
        .args(["-m", "pytest", "-v", "-p", "records", "-p", "turns"])
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

/// The tests that still run, with those who wait for their records.
type Waiting = Mutex<HashMap<String, Sender<Record>>>;

/// Pytests while they run tests.
pub(crate) struct Pytests {
    /// Each with a thread that ends with all that the pytest has printed besides records.
    running: Vec<(Child, JoinHandle<String>)>,
}

impl Pytests {
    /// Starts at most `count` pytests, which run the tests of `chosen`, whose records go to the senders.
    /// With `nocapture`, all is shown that pytest and the tests print.
    pub(crate) fn start(
        count: usize,
        chosen: Vec<(String, Sender<Record>)>,
        nocapture: bool,
    ) -> Self {
        let nodes: Vec<String> = chosen.iter().map(|(node, _)| node.clone()).collect();
        let files = files(&nodes).count();
        let turns = turns(files).expect("the system has pipes");
        // Ends with the last thread, and then no test waits any more.
        let waiting: Arc<Waiting> = Arc::new(Mutex::new(chosen.into_iter().collect()));
        let start = |_| {
            let mut pytest = pytest().expect("pytest has found the tests");
            if nocapture {
                pytest.arg("--capture=no");
            }
            let mut process = pytest
                .args(&nodes)
                .stdin(turns.try_clone().expect("the system has pipes"))
                .stdout(Stdio::piped())
                .spawn()
                .expect("pytest has found the tests");
            let stdout = process.stdout.take().expect("it is piped");
            let waiting = Arc::clone(&waiting);
            let reader = thread::spawn(move || pass_on(stdout, &waiting, nocapture));
            (process, reader)
        };
        Self {
            running: (0..count.min(files)).map(start).collect(),
        }
    }

    /// Waits for the end of the pytests, and checks that one of them, too, `has_failed`, or none.
    pub(crate) fn end(self, has_failed: bool) -> Result<(), String> {
        let ended = self.running.into_iter().map(|(mut process, reader)| {
            let printed = reader.join().expect("pytest's records can be read");
            let status = process.wait().expect("a child can be waited for");
            (status.code(), format!("pytest: {status}\n{printed}"))
        });
        let (codes, told): (Vec<_>, Vec<_>) = ended.unzip();
        let expected = codes.contains(&Some(1)) == has_failed;
        if expected && codes.iter().all(|code| matches!(code, Some(0 | 1))) {
            Ok(())
        } else {
            Err(told.join("\n"))
        }
    }
}

/// A pipe with the numbers of `count` files, for `turns.py`.
fn turns(count: usize) -> io::Result<PipeReader> {
    let (reader, mut writer) = io::pipe()?;
    let numbers: Vec<u8> = (0..=u8::MAX).take(count).collect();
    assert_eq!(numbers.len(), count, "a byte is the number of a file");
    writer.write_all(&numbers)?;
    Ok(reader)
}

/// Sends each record to its test, and returns what else pytest prints.
fn pass_on(stdout: ChildStdout, waiting: &Waiting, shows: bool) -> String {
    let mut printed = String::new();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = text(&line.expect("a pipe can be read"));
        let rest = match Record::split(&line) {
            None => line.as_str(),
            Some((rest, record)) => {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(sender) = waiting.remove(&record.node) {
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
