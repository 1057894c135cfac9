//! A notebook file. memit changes only the outputs, the execution counts and the language;
//! everything else stays as it was read.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize as _;
use serde_json::{Map, Value, json};

/// A notebook of nbformat 4.
pub(crate) struct Notebook {
    document: Value,
}

/// A cell to execute.
pub(crate) struct CodeCell {
    /// The position among all cells of the notebook.
    pub(crate) index: usize,
    pub(crate) source: String,
    /// Whether the cell is tagged `raises-exception`, so that its error does not stop the run.
    pub(crate) may_fail: bool,
}

impl Notebook {
    /// Reads and checks a notebook.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a notebook of nbformat 4.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        Self::parse(&text).with_context(|| format!("{name} is not a notebook that can be run"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let document: Value = serde_json::from_str(text)?;
        match document["nbformat"].as_u64() {
            Some(4) => {}
            Some(other) => {
                bail!(
                    "it is nbformat {other}, not 4: convert it with `jupyter nbconvert --to notebook`"
                )
            }
            None => bail!("it has no `nbformat`"),
        }
        if !document["cells"].is_array() {
            bail!("it has no list of `cells`");
        }
        Ok(Self { document })
    }

    /// The code cells in order, except empty cells and cells tagged `skip-execution`.
    pub(crate) fn code_cells(&self) -> Vec<CodeCell> {
        let cells = self.document["cells"].as_array().into_iter().flatten();
        cells
            .enumerate()
            .filter(|(_, cell)| cell["cell_type"] == "code")
            .filter(|(_, cell)| !has_tag(cell, "skip-execution"))
            .map(|(index, cell)| CodeCell {
                index,
                source: joined(&cell["source"]),
                may_fail: has_tag(cell, "raises-exception"),
            })
            .filter(|cell| !cell.source.trim().is_empty())
            .collect()
    }

    /// Removes the outputs of all code cells.
    pub(crate) fn clear(&mut self) {
        let cells = self.document["cells"].as_array_mut().into_iter().flatten();
        for cell in cells.filter(|cell| cell["cell_type"] == "code") {
            cell["execution_count"] = Value::Null;
            cell["outputs"] = json!([]);
        }
    }

    /// Replaces the outputs of a cell.
    pub(crate) fn set_outputs(
        &mut self,
        cell: &CodeCell,
        execution_count: u64,
        outputs: Vec<Value>,
    ) {
        let cell = &mut self.document["cells"][cell.index];
        cell["execution_count"] = execution_count.into();
        cell["outputs"] = outputs.into();
    }

    /// Records the kernel and the language that the outputs are from.
    pub(crate) fn set_language(&mut self, language_info: Value) {
        if !self.document["metadata"].is_object() {
            self.document["metadata"] = Map::new().into();
        }
        let metadata = &mut self.document["metadata"];
        if metadata["kernelspec"].is_null() {
            metadata["kernelspec"] =
                json!({"display_name": "Rust (memit)", "language": "rust", "name": "memit"});
        }
        metadata["language_info"] = language_info;
    }

    /// Writes the notebook in Jupyter's format. The old file stays until the new one is complete.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let name = path.display();
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let mut file = tempfile::Builder::new()
            .prefix(".memit-")
            .tempfile_in(directory.unwrap_or(Path::new(".")))
            .with_context(|| format!("cannot write beside {name}"))?;
        file.write_all(self.to_json()?.as_bytes())
            .with_context(|| format!("cannot write {name}"))?;
        set_permissions(&file, path)?;
        file.persist(path)
            .with_context(|| format!("cannot write {name}"))?;
        Ok(())
    }

    fn to_json(&self) -> anyhow::Result<String> {
        let mut json = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
        self.document
            .serialize(&mut serde_json::Serializer::with_formatter(
                &mut json, formatter,
            ))?;
        json.push(b'\n');
        Ok(String::from_utf8(json)?)
    }
}

/// Gives a temporary file, which only its owner can read, the mode of the notebook that it
/// replaces.
#[cfg(unix)]
fn set_permissions(file: &tempfile::NamedTempFile, path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).map_or(0o644, |old| old.permissions().mode() & 0o7777);
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(())
}

#[cfg(not(unix))]
fn set_permissions(_file: &tempfile::NamedTempFile, _path: &Path) -> anyhow::Result<()> {
    Ok(())
}

fn has_tag(cell: &Value, tag: &str) -> bool {
    cell["metadata"]["tags"]
        .as_array()
        .is_some_and(|tags| tags.iter().any(|t| t == tag))
}

/// Joins a text, which nbformat keeps as one string or as lines.
fn joined(text: &Value) -> String {
    match text {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

/// Splits a text into lines with their line ends, as Jupyter writes it.
pub(crate) fn lines(text: &str) -> Value {
    text.split_inclusive('\n').map(Value::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTEBOOK: &str = r##"{
 "cells": [
  {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
  {"cell_type": "code", "execution_count": 9, "id": "a", "metadata": {"mine": 1}, "outputs": [1], "source": ["1 +\n", "1"]},
  {"cell_type": "code", "execution_count": null, "id": "b", "metadata": {"tags": ["skip-execution"]}, "outputs": [], "source": "x"},
  {"cell_type": "code", "execution_count": null, "id": "c", "metadata": {"tags": ["raises-exception"]}, "outputs": [], "source": "y"},
  {"cell_type": "code", "execution_count": null, "id": "d", "metadata": {}, "outputs": [], "source": []}
 ],
 "metadata": {"mine": true},
 "nbformat": 4,
 "nbformat_minor": 5
}"##;

    #[test]
    fn code_cells_are_found_and_tags_obeyed() {
        let cells = Notebook::parse(NOTEBOOK).unwrap().code_cells();
        let found: Vec<_> = cells
            .iter()
            .map(|cell| (cell.index, cell.source.as_str(), cell.may_fail))
            .collect();
        assert_eq!(found, [(1, "1 +\n1", false), (3, "y", true)]);
    }

    #[test]
    fn everything_else_is_kept() {
        let mut notebook = Notebook::parse(NOTEBOOK).unwrap();
        let cells = notebook.code_cells();
        notebook.clear();
        notebook.set_outputs(&cells[0], 1, vec![json!("out")]);
        notebook.set_language(json!({"name": "rust"}));
        let cell = &notebook.document["cells"][1];
        assert_eq!(cell["metadata"]["mine"], 1);
        assert_eq!(
            (&cell["outputs"][0], &cell["execution_count"]),
            (&json!("out"), &json!(1))
        );
        assert_eq!(notebook.document["metadata"]["mine"], true);
        assert_eq!(notebook.document["metadata"]["kernelspec"]["name"], "memit");
        assert!(
            notebook
                .to_json()
                .unwrap()
                .starts_with("{\n \"cells\": [\n  {\n")
        );
    }

    #[test]
    fn a_file_that_is_not_a_notebook_is_refused() {
        for (text, why) in [
            ("{}", "it has no `nbformat`"),
            ("{\"nbformat\": 3}", "it is nbformat 3, not 4"),
            ("{\"nbformat\": 4}", "it has no list of `cells`"),
            ("[", "EOF"),
        ] {
            let Err(error) = Notebook::parse(text) else {
                panic!("{text}")
            };
            assert!(error.to_string().starts_with(why), "{error}");
        }
    }
}
