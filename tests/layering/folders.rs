//! The folders of the kernel.

use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::imports;
use crate::{assert_none, not_above, workspace};

/// A folder or file in `kernel/src`, and what it may import besides itself and what lies in it. The
/// ground first.
#[rustfmt::skip]
const FOLDERS: &[(&str, &[&str])] = &[
    ("arguments", &[]),
    ("cargo_settings", &[]),
    ("data_directory", &[]),
    ("dependency_cache", &["cargo_settings"]),
    ("kernel_info", &[]),
    ("library_source", &[]),
    ("chart_file", &[]),
    ("notebook", &[]),
    ("compiler", &["dependency_cache"]),
    ("cargo", &["cargo_settings", "compiler", "dependency_cache"]),
    ("tools_environment", &["cargo", "cargo_settings", "library_source"]),
    ("analyser", &["tools_environment"]),
    ("install", &["data_directory"]),
    ("mprof", &["arguments", "chart_file"]),
    ("session/io", &[]),
    ("session/errors", &["compiler"]),
    (
        "session/engine",
        &[
            "analyser", "cargo_settings", "compiler", "dependency_cache", "tools_environment", "session/io",
            "session/errors",
        ],
    ),
    ("session/commands", &["cargo_settings"]),
    ("session/shared_dependencies", &["dependency_cache", "session/errors"]),
    ("session/editor", &["analyser", "session/commands", "session/io", "session/errors", "session/engine"]),
    ("session/evaluation", &["compiler", "session/io", "session/errors", "session/engine"]),
    ("session/variable_list", &["session/commands", "session/io", "session/engine", "session/evaluation"]),
    (
        "session/measure",
        &[
            "chart_file", "compiler", "session/io", "session/errors", "session/engine", "session/evaluation",
            "session/variable_list",
        ],
    ),
    ("session", &["notebook"]),
    ("headless", &["kernel_info", "notebook", "session", "tools_environment"]),
    ("jupyter/wire", &[]),
    ("jupyter/lifecycle", &["session"]),
    ("jupyter/history", &["data_directory", "jupyter/lifecycle"]),
    ("jupyter/socket", &["session", "jupyter/wire"]),
    (
        "jupyter/request",
        &["kernel_info", "session", "jupyter/wire", "jupyter/lifecycle", "jupyter/history", "jupyter/socket"],
    ),
    (
        "jupyter/serve",
        &["kernel_info", "jupyter/wire", "jupyter/lifecycle", "jupyter/socket", "jupyter/request"],
    ),
    ("jupyter", &["kernel_info", "tools_environment"]),
    ("cli", &["arguments", "data_directory", "install", "mprof", "headless", "jupyter"]),
];

const TABLE: &str = "FOLDERS in tests/layering/folders.rs";

#[test]
fn folders_of_the_kernel_import_only_what_lies_below_them() {
    let mut wrong = not_above(FOLDERS.iter().copied());
    let sources = workspace().join("kernel/src");
    for (folder, _) in FOLDERS {
        if !sources.join(folder).is_dir() && !sources.join(folder).with_extension("rs").is_file() {
            wrong.push(format!("there is no `kernel/src/{folder}`"));
        }
    }
    for file in files(&sources) {
        let within = file.strip_prefix(&sources).expect("it lies there");
        let module = module(within);
        // The root of the library and of the program stand on everything.
        if module.is_empty() {
            continue;
        }
        let shown = format!("kernel/src/{}", within.display());
        let Some((folder, others)) = row(&module) else {
            wrong.push(format!("there is no row for `{}` ({shown})", module[0]));
            continue;
        };
        let source = fs::read_to_string(&file).expect("a source file can be read");
        for import in imports(&source, &module) {
            let Some((other, _)) = row(&import.path) else {
                continue;
            };
            let is_allowed =
                lies_in(other, folder) || others.iter().any(|each| lies_in(other, each));
            if !is_allowed {
                let (line, path) = (import.line, import.path.join("::"));
                wrong.push(format!(
                    "{shown}:{line}: `{folder}` must not import `{other}` (crate::{path})"
                ));
            }
        }
    }
    assert_none(&wrong, TABLE);
}

/// The row of the innermost folder that holds the module or item `path`.
fn row(path: &[String]) -> Option<(&'static str, &'static [&'static str])> {
    let path = path.join("/");
    let rows = FOLDERS.iter().filter(|(folder, _)| lies_in(&path, folder));
    rows.max_by_key(|(folder, _)| folder.len()).copied()
}

fn lies_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path of the module in the file `within`.
fn module(within: &Path) -> Vec<String> {
    let name = |part: &std::ffi::OsStr| part.to_str().expect("it is Unicode").to_owned();
    let mut module: Vec<String> = within.with_extension("").iter().map(name).collect();
    if ["mod", "lib", "main"]
        .iter()
        .any(|root| module.last().is_some_and(|last| last == root))
    {
        module.pop();
    }
    module
}

/// All source files in `directory`, in order.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory of the repository can be read");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| {
            entry
                .expect("a directory of the repository can be read")
                .path()
        })
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
