//! What cargo would do in a build.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::messages::SCRIPT;
use super::network;
use crate::compiler::CELL_CRATE;
use crate::compiler::definitions::tokens;
use crate::dependency_cache::Plan;

/// Makes a stable cargo accept unstable options, as rust-analyzer does. `RUSTC_BOOTSTRAP` would make cargo
/// ask `rustc` everything anew.
const UNSTABLE: (&str, &str) = ("__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS", "nightly");

/// What is to be built, in cargo's terms.
#[derive(Deserialize)]
struct Graph {
    units: Vec<Unit>,
}

#[derive(Deserialize)]
struct Unit {
    mode: String,
    target: Target,
}

/// A part of a package, such as its library.
#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Unit {
    /// Whether the unit is a crate that the cell depends on, and not a build script.
    fn is_dependency(&self) -> bool {
        let is_script = self.target.kind.iter().any(|kind| kind == SCRIPT);
        self.mode == "build" && !is_script && self.target.name != CELL_CRATE
    }
}

/// What cargo builds with these arguments. cargo completes `Cargo.lock` meanwhile.
///
/// # Errors
///
/// If cargo does not say what is to be built: the interface is not stable.
pub(super) fn of(cargo: &Path, arguments: &[OsString]) -> io::Result<Plan> {
    let more = ["--unit-graph", "-Zunstable-options"].map(OsString::from);
    let arguments = [arguments, &more].concat();
    let output = network::output(cargo, &arguments, &[UNSTABLE])?;
    let graph: Graph = serde_json::from_slice(&output.stdout)?;
    let dependencies = graph.units.iter().filter(|unit| unit.is_dependency());
    // Each session builds in a directory of its own.
    let builds = env::current_dir()?;
    let text = String::from_utf8_lossy(&output.stdout).replace(&*builds.to_string_lossy(), "");
    Ok(Plan {
        crates: dependencies.count(),
        number: tokens::hash(text),
    })
}
