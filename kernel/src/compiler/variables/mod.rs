//! The variables of a session, and what a cell does to them.
//!
//! evcxr knows no variables. The kernel keeps the record, and binds in front of a cell what the
//! cell mentions: `let x: T = …` with [`TAKEN`] in place of a value, so that evcxr's analyser knows
//! the types. Before rustc sees the cell, this module lets it take these variables from the store
//! and put its variables into the store, ties each to the definitions that its type reaches, and
//! drops what the session no longer defines. Kernel and compiler talk through files in the
//! session's directory, because cargo runs between them.

mod decisions;
pub(super) mod naming;
mod rewrite;
mod run_function;
mod session_definitions;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::definitions::Reached;
use super::statics::Numbers;

pub(super) use decisions::Decisions;
pub(super) use rewrite::{Cell, Rewritten, crates, without_keeping};
pub(crate) use types::{is_common, of_rustc, shown};

/// The value of a variable that a cell takes from the store, until this module replaces it. The
/// analyser sees a value of the variable's type.
pub(crate) const TAKEN: &str = "::core::option::Option::None.expect(\"memit_taken\")";

/// A variable that the kernel binds in front of a cell, so that evcxr writes code for a store.
pub(crate) const ANCHOR: &str = "memit_variables";

/// The call around the bindings in front of a cell that binds no variable itself: the analyser need
/// not work out any type. This module replaces the call, so there is no such macro.
pub(crate) const BOUND: &str = "memit_bound";

/// The macro around a `let` that evcxr must not see, because evcxr cannot name the type of the
/// variables. Its tokens are the names to keep, `=>`, and the `let`.
pub(crate) const UNSEEN: &str = "memit_unseen";

/// The variables after the last cell that took effect.
const HELD: &str = "variables.json";
/// What the cell does that was compiled last.
const COMPILED: &str = "compiled-variables.json";

/// The variables of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Variables {
    pub(crate) held: BTreeMap<String, Arc<Variable>>,
    /// Variables that a cell has ended.
    pub(crate) gone: BTreeMap<String, Arc<Gone>>,
    /// Variables in the store that no cell can take. The next cell drops them.
    pub(crate) unwanted: BTreeSet<String>,
    /// The statics that all cells share.
    pub(crate) statics: Arc<Numbers>,
    /// The statics of which each cell has its own, and whether a cell has said so.
    pub(crate) unshared: Arc<BTreeMap<String, bool>>,
}

/// A variable in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The type, as a cell can write it.
    pub(crate) of: String,
    pub(crate) is_mutable: bool,
    /// The number of the cell that bound it.
    pub(crate) cell: u64,
    /// The definitions that the type reaches.
    pub(crate) reached: BTreeSet<Reached>,
}

/// How a variable ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    /// The number of the cell that ended it.
    pub(crate) cell: u64,
    pub(crate) how: How,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// This line moved it.
    Moved(String),
    /// This definition, which its type reaches, has changed.
    GivenUp(Reached),
    /// The session could not keep it.
    Left,
    /// It was bound in a block or a function.
    InBlock,
}

/// What a cell does to the variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Compiled {
    /// The variables that it takes from the store.
    pub(crate) taken: BTreeSet<String>,
    /// The variables that it puts into the store.
    pub(crate) put: BTreeMap<String, Put>,
    /// The variables that it moves, with the lines that do so.
    pub(crate) moved: BTreeMap<String, String>,
    /// The variables that it binds and cannot keep.
    pub(crate) left: BTreeMap<String, Left>,
    /// The variables that the session loses.
    pub(crate) given_up: Vec<GivenUp>,
    /// The statics of the session.
    pub(crate) statics: Numbers,
    /// The statics that it uses and does not share with others.
    pub(crate) unshared: BTreeSet<String>,
}

/// A variable that a cell puts into the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Put {
    /// The type; `None` if only rustc knows it.
    pub(crate) of: Option<String>,
    pub(crate) is_mutable: bool,
    /// Whether the cell has bound it. A cell that ends early does not put such a variable.
    pub(crate) is_new: bool,
    pub(crate) reached: BTreeSet<Reached>,
}

/// Why a variable of a cell is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Left {
    /// It borrows from something that ends with the cell, or from the variable of this name.
    Borrows(Option<String>),
    /// Its type has no name that a cell could write.
    Unnamed,
    /// It has no value at the end of the cell.
    Unset,
}

/// A variable whose type reaches a definition that has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenUp {
    pub(crate) variable: String,
    /// The definition as it was.
    pub(crate) changed: Reached,
}

/// The variables of a session, as the compiler needs to know them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// Variables with the definitions that their types reach. Most variables have the same few.
    groups: Vec<(BTreeSet<Reached>, BTreeSet<String>)>,
    /// Variables in the store that the next cell drops.
    unwanted: BTreeSet<String>,
}

impl Held {
    fn of(variables: &Variables) -> Self {
        let mut groups = BTreeMap::<_, BTreeSet<String>>::new();
        for (name, variable) in &variables.held {
            groups
                .entry(&variable.reached)
                .or_default()
                .insert(name.clone());
        }
        let owned = groups
            .into_iter()
            .map(|(reached, names)| (reached.clone(), names));
        Self {
            groups: owned.collect(),
            unwanted: variables.unwanted.clone(),
        }
    }

    fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.unwanted.is_empty()
    }

    /// The definitions that the type of a variable reaches.
    fn reached(&self, variable: &str) -> Option<&BTreeSet<Reached>> {
        let group = self
            .groups
            .iter()
            .find(|(_, names)| names.contains(variable));
        group.map(|(reached, _)| reached)
    }
}

/// Tells the compiler which variables the session has.
pub(crate) fn tell(session: &Path, variables: &Variables) -> io::Result<()> {
    fs::write(
        session.join(HELD),
        serde_json::to_vec(&Held::of(variables))?,
    )
}

/// Takes what the cell does that was compiled last; `None` if none was compiled.
pub(crate) fn take_compiled(session: &Path) -> Option<Compiled> {
    let file = session.join(COMPILED);
    let compiled = serde_json::from_slice(&fs::read(&file).ok()?).ok();
    if let Err(error) = fs::remove_file(&file) {
        tracing::warn!("{}: {error}", file.display());
    }
    compiled
}

/// The variables of the session, for the compiler.
pub(super) fn held(session: &Path) -> Held {
    let json = fs::read(session.join(HELD)).ok();
    json.and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default()
}

/// Writes what a cell does, for [`take_compiled`].
pub(super) fn write_compiled(session: &Path, compiled: &Compiled) -> io::Result<()> {
    fs::write(session.join(COMPILED), serde_json::to_vec(compiled)?)
}
