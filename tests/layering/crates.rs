//! The crates of the workspace.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::{assert_none, not_above, workspace};

struct Crate {
    name: &'static str,
    /// The crates of the workspace that it may depend on.
    ours: &'static [&'static str],
    /// The other crates that it may depend on.
    others: Others,
    code: Code,
}

enum Others {
    Any,
    Only(&'static [&'static str]),
}

#[derive(PartialEq)]
enum Code {
    /// Forbids `unsafe`.
    Safe,
    MayBeUnsafe,
}

use Code::{MayBeUnsafe, Safe};
use Others::{Any, Only};

/// The ground first.
#[rustfmt::skip]
const CRATES: &[Crate] = &[
    // A session compiles this crate with `rustc` alone.
    Crate { name: "memit-session", ours: &[], others: Only(&["serde"]), code: MayBeUnsafe },
    Crate { name: "memit-lines", ours: &["memit-session"], others: Only(&["serde"]), code: Safe },
    Crate {
        name: "memit-measurement",
        ours: &["memit-session", "memit-lines"],
        others: Only(&["serde"]),
        code: Safe,
    },
    Crate { name: "memit-instrument", ours: &["memit-lines"], others: Any, code: Safe },
    Crate { name: "memit-threads", ours: &[], others: Only(&["libc"]), code: MayBeUnsafe },
    Crate { name: "memit-process", ours: &["memit-session"], others: Any, code: MayBeUnsafe },
    Crate {
        name: "memit-measure",
        ours: &["memit-session", "memit-lines", "memit-measurement", "memit-process", "memit-threads"],
        others: Any,
        code: MayBeUnsafe,
    },
    Crate {
        name: "memit-session-process",
        ours: &["memit-measurement", "memit-process", "memit-measure"],
        others: Any,
        code: MayBeUnsafe,
    },
    // Never on a crate with our `malloc`.
    Crate {
        name: "memit-magics",
        ours: &["memit-lines", "memit-measurement", "memit-session"],
        others: Any,
        code: Safe,
    },
    Crate { name: "memit-macros", ours: &["memit-instrument"], others: Any, code: Safe },
    // Compiled into the programs of others: without a supervisor.
    Crate {
        name: "memit",
        ours: &[
            "memit-session", "memit-lines", "memit-measurement", "memit-process", "memit-measure",
            "memit-macros",
        ],
        others: Any,
        code: Safe,
    },
    Crate {
        name: "memit-kernel",
        ours: &[
            "memit-lines", "memit-measurement", "memit-instrument", "memit-session",
            "memit-process", "memit-measure", "memit-session-process", "memit-magics",
        ],
        others: Any,
        code: Safe,
    },
    Crate {
        name: "memit-fuzz",
        ours: &["memit-magics", "memit-kernel"],
        others: Only(&["libfuzzer-sys"]),
        code: MayBeUnsafe,
    },
];

const TABLE: &str = "CRATES in tests/layering/crates.rs";

#[test]
fn crates_depend_only_on_what_lies_below_them() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(name).collect();
    let mut wrong = not_above(CRATES.iter().map(|row| (row.name, row.ours)));
    for row in CRATES {
        if !ours.contains(row.name) {
            wrong.push(format!("there is no crate `{}`", row.name));
        }
    }
    for package in &packages {
        let name = name(package);
        let Some(row) = CRATES.iter().find(|row| row.name == name) else {
            wrong.push(format!("there is no row for the crate `{name}`"));
            continue;
        };
        for dependency in dependencies(package) {
            let is_allowed = match row.others {
                _ if ours.contains(dependency) => row.ours.contains(&dependency),
                Others::Any => true,
                Others::Only(others) => others.contains(&dependency),
            };
            if !is_allowed {
                wrong.push(format!("`{name}` must not depend on `{dependency}`"));
            }
        }
    }
    assert_none(&wrong, TABLE);
}

#[test]
fn crates_that_need_no_unsafe_forbid_it() {
    let mut wrong = Vec::new();
    for package in packages() {
        let name = name(&package);
        let is_safe = CRATES
            .iter()
            .any(|row| row.name == name && row.code == Code::Safe);
        if !is_safe {
            continue;
        }
        for root in roots(&package) {
            let source = fs::read_to_string(root).expect("cargo has found it");
            if !source.lines().any(|line| line == "#![forbid(unsafe_code)]") {
                wrong.push(format!("{root} must say `#![forbid(unsafe_code)]`"));
            }
        }
    }
    assert_none(&wrong, TABLE);
}

/// The packages of the workspace, from `cargo metadata`.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(workspace())
        .output()
        .expect("there is a cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array();
    packages.expect("a workspace has packages").clone()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("a package has a name")
}

/// The crates that a package is built from: its tests may depend on any.
fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array();
    let dependencies = dependencies.expect("a package lists its dependencies");
    let is_built_in = |dependency: &&Value| dependency["kind"] != "dev";
    dependencies.iter().filter(is_built_in).map(name)
}

/// The root files of a package's library and programs.
fn roots(package: &Value) -> impl Iterator<Item = &str> {
    let targets = package["targets"]
        .as_array()
        .expect("a package has targets");
    let is_root = |target: &&Value| {
        let kinds = target["kind"].as_array().expect("a target has kinds");
        kinds
            .iter()
            .any(|kind| ["lib", "proc-macro", "bin"].iter().any(|root| kind == root))
    };
    let roots = targets.iter().filter(is_root);
    roots.map(|target| target["src_path"].as_str().expect("a target has a path"))
}
