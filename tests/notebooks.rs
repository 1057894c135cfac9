//! The notebooks that newcomers run first, once without Jupyter and once with it.

mod support;

use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};
use support::{memit, ran, validate};

/// Executes a notebook as `jupyter nbconvert --execute` does, and writes it.
const NBCLIENT: &str = r#"
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, kernel_name="memit", timeout=300, startup_timeout=120).execute()
nbformat.validate(notebook)
nbformat.write(notebook, sys.argv[2])
"#;

#[test]
fn quickstart_gives_the_same_with_and_without_jupyter() {
    gives_the_same_with_and_without_jupyter("quickstart");
}

#[test]
fn julia_gives_the_same_with_and_without_jupyter() {
    gives_the_same_with_and_without_jupyter("julia");
}

#[test]
fn over_time_gives_the_same_with_and_without_jupyter() {
    gives_the_same_with_and_without_jupyter("over_time");
}

fn gives_the_same_with_and_without_jupyter(name: &str) {
    let directory = tempfile::tempdir().expect("there is a directory for temporary files");
    let notebook = support::workspace().join(format!("notebooks/{name}.ipynb"));
    let without = directory.path().join("without.ipynb");
    let with = directory.path().join("with.ipynb");

    ran(
        memit().arg("run").arg(&notebook).arg("-o").arg(&without),
        "",
    )
    .expect_code(0);
    validate(&without);

    ran(
        memit().args(["install", "--prefix"]).arg(directory.path()),
        "",
    )
    .expect_code(0);
    ran(
        support::python()
            .env("JUPYTER_PATH", directory.path().join("share/jupyter"))
            .args(["-c", NBCLIENT])
            .args([&notebook, &with]),
        "",
    )
    .expect_code(0);

    let (without, with) = (outputs(&without), outputs(&with));
    assert!(!without.is_empty());
    for (one, other) in without.iter().zip(&with) {
        assert_eq!(one, other);
    }
    assert_eq!(without.len(), with.len());
}

/// Count and outputs of every code cell, without what differs from run to run.
fn outputs(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("it was written");
    let notebook: Value = serde_json::from_str(&text).expect("it is JSON");
    let cells = notebook["cells"].as_array().expect("a notebook has cells");
    cells
        .iter()
        .filter(|cell| cell["cell_type"] == "code")
        .map(|cell| {
            let outputs = cell["outputs"].as_array().expect("a code cell has outputs");
            json!({
                "source": cell["source"],
                "execution_count": cell["execution_count"],
                "outputs": outputs.iter().map(normalised).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn normalised(output: &Value) -> Value {
    let mut output = output.clone();
    let Some(data) = output.get_mut("data").and_then(Value::as_object_mut) else {
        return output;
    };
    if let Some(text) = data.get_mut("text/plain") {
        *text = without_figures(&joined(text)).into();
    }
    // The drawings are of the same figures; that there is one is what counts.
    if let Some(html) = data.get_mut("text/html") {
        *html = (!joined(html).is_empty()).into();
    }
    if let Some(json) = data.get_mut("application/vnd.memit+json") {
        *json = structure(json);
    }
    output
}

/// Notebooks may hold text as one string or as a list of lines.
fn joined(text: &Value) -> String {
    match text {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

fn without_figures(text: &str) -> String {
    let rules = [
        // IPython's warning comes and goes with the load of the machine.
        (r"(?m)^The slowest run took .*\n", ""),
        // Resident memory depends on what of the session has been paged in.
        (r"(peak memory|increment): [\d.]+ MiB", "$1: # MiB"),
        // Time, and so the number of loops, is never the same.
        (r"[\d.]+(e[+-]?\d+)? (ns|μs|ms|s)\b", "# s"),
        (r"[\d,]+ loops? each", "# loops each"),
        (r"[\d,]+ samples?", "# samples"),
        // So are the runs of a short sampled statement, and what probes cost in them.
        (r"time sampled every .*", "time sampled"),
        (
            r"(?m)^(the run takes|probes included|the share of a line) .*\n?",
            "",
        ),
        // Of a line only its number: hits are in the data.
        (r"(?m)^( +\d+)( +[\d.e+-]+)* {2,}", "$1 "),
    ];
    let over_time = [
        // The chart is of resident memory and of time.
        (r"(?m)^.*[│┤└].*\n|^ +[\d. #]+s\n", ""),
        // So are the figures of phases, whose columns are as wide as they are.
        (r"[\d.]+ (B|KiB|MiB)", "# MiB"),
        (r" +", " "),
    ];
    let over_time = &over_time[..if text.contains('└') { 3 } else { 0 }];
    rules
        .iter()
        .chain(over_time)
        .fold(text.trim_end().to_owned(), |text, (pattern, with)| {
            Regex::new(pattern)
                .expect("the rules are well-formed")
                .replace_all(&text, *with)
                .into_owned()
        })
}

/// A size without the few bytes by which a free block may be larger than what was asked for.
fn in_kib(bytes: &Value) -> Value {
    bytes
        .as_f64()
        .map_or(Value::Null, |bytes| (bytes / 1024.0).round().into())
}

/// The data with numbers as what they are of; counts of allocations and of executions do not vary
/// and stay.
fn structure(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let exact = ["allocations", "heap_peak", "hits"];
                // In the session itself, a block may be one that was free and a little larger.
                let in_place = fields.get("isolated") == Some(&false.into());
                let exact = exact.contains(&name.as_str()) && !in_place;
                let value = if name == "total" {
                    "how the total is known".into()
                } else if name == "heap_allocated" && !in_place {
                    // In a fork, too: a block may be one that the session has freed before.
                    in_kib(value)
                } else if exact {
                    value.clone()
                } else {
                    structure(value)
                };
                (name.clone(), value)
            })
            .collect(),
        // A column of samples.
        Value::Array(items) if items.iter().all(Value::is_number) => "numbers".into(),
        Value::Array(items) => items.iter().map(structure).collect(),
        Value::Number(_) => "number".into(),
        other => other.clone(),
    }
}
