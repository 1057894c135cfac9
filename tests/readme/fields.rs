//! The tables of fields are those of the JSON that the notebooks hold.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::markdown::{Page, code_spans, rows};
use crate::support;

type Names = BTreeSet<String>;

/// The results of `magic` in the notebooks, which `tests/notebooks.rs` keeps up to date.
fn results(magic: &str) -> Vec<Value> {
    let directory = support::workspace().join("notebooks");
    let mut results = Vec::new();
    for notebook in ["quickstart", "julia", "over_time"] {
        let text = fs::read_to_string(directory.join(notebook).with_extension("ipynb"))
            .expect("the notebook is there");
        let notebook: Value = serde_json::from_str(&text).expect("it is JSON");
        let cells = notebook["cells"].as_array().expect("a notebook has cells");
        let outputs = cells.iter().filter_map(|cell| cell["outputs"].as_array());
        results.extend(
            outputs
                .flatten()
                .map(|output| &output["data"]["application/vnd.memit+json"])
                .filter(|result| result["magic"] == magic)
                .cloned(),
        );
    }
    assert!(!results.is_empty(), "no notebook shows `%{magic}`");
    results
}

/// The names of all fields within `value`.
fn names_within(value: &Value, names: &mut Names) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names.insert(name.clone());
                names_within(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_within(item, names)),
        _ => {}
    }
}

/// The rows of the table whose header is `title`.
fn table<'a>(section: &'a str, title: &str) -> Vec<Vec<&'a str>> {
    let header = format!("| {title} | |\n");
    let (_, rest) = section
        .split_once(&header)
        .unwrap_or_else(|| panic!("no table `{title}`"));
    let end = rest.find("\n\n").unwrap_or(rest.len());
    rows(&rest[..end]).collect()
}

/// Code that names a field: `runs`, not `"memit"`, `null` or `%mprun`.
fn field_names(text: &str) -> impl Iterator<Item = &str> {
    code_spans(text).filter(|code| {
        *code != "null"
            && code.starts_with(|c: char| c.is_ascii_lowercase())
            && code.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    })
}

/// Names in code that is JSON: `{"cell": {"number": 2}}` has two.
fn names_in_json(text: &str) -> impl Iterator<Item = &str> {
    code_spans(text)
        .filter(|code| code.starts_with('{'))
        .flat_map(|code| code.split('"').collect::<Vec<_>>().into_iter())
        .filter(|part| part.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

#[track_caller]
fn expect_fields(title: &str, magics: &[&str]) {
    let manual = Page::read("magics/README.md");
    let table = table(manual.section("Results as data"), title);
    let (mut top, mut within) = (Names::new(), Names::new());
    for result in magics.iter().flat_map(|magic| results(magic)) {
        top.extend(
            result
                .as_object()
                .expect("a result is an object")
                .keys()
                .cloned(),
        );
        names_within(&result, &mut within);
    }
    let first: Names = table
        .iter()
        .flat_map(|row| field_names(row[0]))
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = top.difference(&first).collect();
    assert!(
        missing.is_empty(),
        "{title}: the first column lacks {missing:?}"
    );

    let named: Names = table
        .iter()
        .flatten()
        .flat_map(|cell| field_names(cell))
        .map(str::to_owned)
        .collect();
    let unknown: Vec<_> = named.difference(&within).collect();
    assert!(unknown.is_empty(), "{title}: no result has {unknown:?}");

    let in_json = table.iter().flatten().flat_map(|cell| names_in_json(cell));
    let named: Names = named
        .into_iter()
        .chain(in_json.map(str::to_owned))
        .collect();
    let missing: Vec<_> = within.difference(&named).collect();
    assert!(missing.is_empty(), "{title}: the table lacks {missing:?}");
}

#[test]
fn the_manual_has_every_field_of_memit() {
    expect_fields("`%memit`", &["memit"]);
}

#[test]
fn the_manual_has_every_field_of_timeit() {
    expect_fields("`%timeit`", &["timeit"]);
}

#[test]
fn the_manual_has_every_field_of_the_line_magics() {
    expect_fields("`%mprun`, `%lprun`", &["mprun", "lprun"]);
}

#[test]
fn the_manual_has_every_field_of_mprof() {
    expect_fields("`%mprof`", &["mprof"]);
}
