//! Ties the variables in the store to the definitions that their types reach.
//!
//! evcxr takes each variable out of the store at the start of a cell and puts it back at the end.
//! The compiler adds the fingerprints of the reached definitions to these calls, and the store
//! returns a variable only if the fingerprints agree. If a definition has changed, the compiler
//! also removes the calls that take the variable, so that the cell starts without the variable.
//! evcxr then forgets the variable, because rustc does not find the name at the end of the cell.

mod store_calls;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{Edition, SourceFile};
use serde::{Deserialize, Serialize};

use super::CELL_CRATE;
use super::definitions::{Definitions, Reached, tokens};
use store_calls::{Edit, Kind, STORE, apply, give_up, store_call, without};

/// The variables after the last cell that took effect.
const KEPT: &str = "kept-variables.json";
/// The variables after the cell that was compiled last.
const COMPILED: &str = "compiled-variables.json";

/// The variables of a session, and what a cell does to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variables {
    /// The definitions that the type of each variable reaches.
    reached: BTreeMap<String, BTreeSet<Reached>>,
    /// The variables that the cell starts without.
    given_up: Vec<GivenUp>,
    /// Whether the cell leaves the store alone, as a cell that consists of items does. The
    /// variables to give up are then still in the store.
    is_aside: bool,
}

/// What a cell did to the variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The variables that the cell started without.
    pub(crate) given_up: Vec<GivenUp>,
    /// Whether variables are still in the store, and will be given up by the next cell that has
    /// statements.
    pub(crate) is_pending: bool,
}

/// A variable whose type reaches a definition that has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenUp {
    pub(crate) variable: String,
    /// The definition as it was.
    pub(crate) changed: Reached,
}

/// A session's variables at some time, to return to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot(Option<Vec<u8>>);

/// The variables as they are now.
pub(crate) fn snapshot(session: &Path) -> Snapshot {
    Snapshot(fs::read(session.join(KEPT)).ok())
}

/// Returns to a snapshot.
pub(crate) fn restore(session: &Path, snapshot: &Snapshot) -> io::Result<()> {
    match &snapshot.0 {
        Some(json) => fs::write(session.join(KEPT), json),
        None => match fs::remove_file(session.join(KEPT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// What the cell that was compiled last does to the variables. If the cell `took_effect`, its
/// variables are those of the session from now on.
pub(crate) fn settle(session: &Path, took_effect: bool) -> Settled {
    let compiled = session.join(COMPILED);
    let variables = read(&compiled).unwrap_or_default();
    let settled = if took_effect {
        fs::rename(&compiled, session.join(KEPT))
    } else {
        fs::remove_file(&compiled)
    };
    if let Err(error) = settled
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!("{}: {error}", compiled.display());
    }
    let is_pending = variables.is_aside && !variables.given_up.is_empty();
    Settled {
        given_up: if is_pending {
            Vec::new()
        } else {
            variables.given_up
        },
        is_pending,
    }
}

fn read(file: &Path) -> Option<Variables> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Ties the variables of a cell that is to be run. `arguments` are those of rustc. Returns the
/// changed source; `None` if the cell has no variables.
pub(super) fn tie(
    session: &Path,
    source: &str,
    arguments: &[String],
) -> anyhow::Result<Option<String>> {
    let kept = read(&session.join(KEPT)).unwrap_or_default();
    let uses_store = source.contains(&format!("{STORE}."));
    let mut variables = Variables::default();
    let mut tied = None;
    if uses_store || !kept.reached.is_empty() {
        let file = SourceFile::parse(source, Edition::Edition2024).tree();
        let definitions = Definitions::of(file.syntax(), crates(arguments));
        if uses_store {
            let calls = file
                .syntax()
                .descendants()
                .filter_map(ast::MethodCallExpr::cast);
            let edits = tie_calls(calls, &definitions, &kept, &mut variables);
            tied = Some(apply(source, edits));
        } else {
            let changed = kept
                .reached
                .iter()
                .filter_map(|(variable, reached)| changed(reached, &definitions, variable));
            variables.given_up = changed.collect();
            variables.reached = kept.reached;
            variables.is_aside = true;
        }
    }
    fs::write(session.join(COMPILED), serde_json::to_vec(&variables)?)?;
    Ok(tied)
}

/// Why `variable` is given up, if a definition that its type `reached` has changed.
fn changed(
    reached: &BTreeSet<Reached>,
    definitions: &Definitions,
    variable: &str,
) -> Option<GivenUp> {
    let changed = reached.iter().filter(|reached| !definitions.has(reached));
    let changed = changed.min_by_key(|changed| changed.rank())?.clone();
    Some(GivenUp {
        variable: variable.to_owned(),
        changed,
    })
}

/// The dependencies in the arguments of rustc, and the crate of the cell. The number of a dependency
/// is another one after each time that it was compiled.
fn crates(arguments: &[String]) -> BTreeMap<String, u64> {
    let state = |file: &str| {
        let changed = fs::metadata(file).ok()?.modified().ok()?;
        let since = changed.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since.as_nanos()).ok()
    };
    let dependencies = arguments
        .windows(2)
        .filter(|pair| pair[0] == "--extern")
        .filter_map(|pair| pair[1].split_once('='))
        .map(|(name, file)| (name.to_owned(), state(file).unwrap_or(0)));
    let metadata = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("metadata="));
    let cell = metadata.map(|metadata| (CELL_CRATE.to_owned(), tokens::hash(metadata)));
    dependencies.chain(cell).collect()
}

/// The edits that add fingerprints to the calls of the store, or remove the calls that take what
/// is given up. Adds what becomes of the variables to `variables`.
fn tie_calls(
    calls: impl Iterator<Item = ast::MethodCallExpr>,
    definitions: &Definitions,
    kept: &Variables,
    variables: &mut Variables,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    for call in calls.filter_map(|call| store_call(&call)) {
        let variable = &call.variable;
        let mut reached = definitions.reached_by(&call.of);
        if call.kind == Kind::Put {
            variables.reached.insert(variable.clone(), reached.clone());
        } else if let Some(before) = kept.reached.get(variable) {
            if let Some(given_up) = changed(before, definitions, variable) {
                if call.kind == Kind::Check {
                    variables.given_up.push(given_up);
                    edits.push(give_up(&call));
                } else {
                    edits.extend(without(&call));
                }
                continue;
            }
            // The analyser may have written the same type in another way before.
            reached.extend(before.iter().cloned());
        }
        let mut fingerprints: Vec<_> = reached.iter().map(Reached::fingerprint).collect();
        fingerprints.sort_unstable();
        edits.push((call.name_end..call.name_end, "_of".to_owned()));
        let argument = format!(", &{fingerprints:?}");
        edits.push((call.arguments_end..call.arguments_end, argument));
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cell as evcxr writes it, with a variable of the session.
    fn cell(definition: &str) -> String {
        format!(
            "{definition}\nfn run_user_code_1() {{\n\
             vars_ok &= evcxr_variable_store.check_variable::<Vec<P>>(stringify!(v));\n\
             let mut v = evcxr_variable_store.take_variable::<Vec<\nP>>(stringify!(v));\n\
             evcxr_variable_store.put_variable::<Vec<P>>(stringify!(v), v);\n}}\n"
        )
    }

    fn tied(session: &Path, source: &str) -> Option<String> {
        tie(session, source, &[]).unwrap()
    }

    #[test]
    fn a_variable_is_taken_with_the_fingerprints_of_its_definitions() {
        let session = tempfile::tempdir().unwrap();
        let source = cell("struct P(u8);");
        let tied = tied(session.path(), &source).unwrap();
        for call in [
            "check_variable_of::<Vec<P>>(stringify!(v), &[",
            "take_variable_of::<Vec<\nP>>(stringify!(v), &[",
            "put_variable_of::<Vec<P>>(stringify!(v), v, &[",
        ] {
            assert!(tied.contains(call), "{tied}");
        }
        assert_eq!(tied.lines().count(), source.lines().count());
        assert_eq!(settle(session.path(), true), Settled::default());
    }

    #[test]
    fn a_variable_with_a_changed_definition_is_given_up_when_the_cell_takes_effect() {
        let session = tempfile::tempdir().unwrap();
        let session = session.path();
        tied(session, &cell("struct P(u8);"));
        settle(session, true);
        let changed = cell("struct P(u16);");
        for took_effect in [false, true] {
            let tied = tied(session, &changed).unwrap();
            assert!(tied.contains("vars_ok &= evcxr_variable_store.give_up(stringify!(v));"));
            assert!(!tied.contains("take_variable"), "{tied}");
            assert!(tied.contains("put_variable_of::<Vec<P>>(stringify!(v), v, &["));
            assert_eq!(tied.lines().count(), changed.lines().count());
            let settled = settle(session, took_effect);
            assert_eq!(settled.given_up[0].variable, "v");
            assert_eq!(settled.given_up[0].changed.name, "P");
            assert!(!settled.is_pending);
        }
        assert!(
            tied(session, &changed)
                .unwrap()
                .contains("take_variable_of")
        );
    }

    #[test]
    fn a_cell_that_consists_of_items_leaves_the_variable_to_the_next() {
        let session = tempfile::tempdir().unwrap();
        let session = session.path();
        assert_eq!(tied(session, "struct P(u8);"), None);
        assert!(!settle(session, true).is_pending, "there is no variable");
        tied(session, &cell("struct P(u8);"));
        settle(session, true);
        assert_eq!(tied(session, "struct P(u16);"), None);
        let settled = settle(session, true);
        assert!(settled.is_pending && settled.given_up.is_empty());
        assert!(
            tied(session, &cell("struct P(u16);"))
                .unwrap()
                .contains("give_up")
        );
    }

    #[test]
    fn a_snapshot_brings_the_definitions_back() {
        let session = tempfile::tempdir().unwrap();
        let session = session.path();
        let at_first = snapshot(session);
        tied(session, &cell("struct P(u8);"));
        settle(session, true);
        let before = snapshot(session);
        tied(session, &cell("struct P(u16);"));
        settle(session, true);
        restore(session, &before).unwrap();
        assert!(
            tied(session, &cell("struct P(u8);"))
                .unwrap()
                .contains("take_variable_of")
        );
        restore(session, &at_first).unwrap();
        assert_eq!(tied(session, "struct P(u16);"), None);
        assert!(!settle(session, true).is_pending, "there is no variable");
    }

    #[test]
    fn a_dependency_that_is_compiled_again_is_another_one() {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join("libshapes.rlib");
        fs::write(&library, "1").unwrap();
        let arguments = [
            "--extern".to_owned(),
            format!("shapes={}", library.display()),
        ];
        let before = crates(&arguments);
        assert_eq!(crates(&arguments), before);
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
        fs::File::open(&library)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert_ne!(crates(&arguments), before);
    }

    #[test]
    fn types_of_a_crate_with_another_identity_are_other_types() {
        let session = tempfile::tempdir().unwrap();
        let session = session.path();
        let metadata = |value: &str| ["-C".to_owned(), format!("metadata={value}")];
        let source = cell("struct P(u8);");
        tie(session, &source, &metadata("0")).unwrap();
        settle(session, true);
        let tied = tie(session, &source, &metadata("0")).unwrap().unwrap();
        assert!(tied.contains("take_variable_of"));
        let tied = tie(session, &source, &metadata("1")).unwrap().unwrap();
        assert!(tied.contains("give_up"));
    }
}
