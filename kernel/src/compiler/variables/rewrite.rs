//! Lets a cell take its variables from the store and put them into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::time::UNIX_EPOCH;

use ra_ap_syntax::ast::AstNode;
use ra_ap_syntax::{Edition, SourceFile};

use super::decisions::{Decision, Decisions};
use super::run_function::{RunFunction, STORE};
use super::{Compiled, GivenUp, Held, Put, types};
use crate::compiler::CELL_CRATE;
use crate::compiler::definitions::{Definitions, Reached, tokens};

/// A cell that is to be run.
pub(crate) struct Cell {
    source: String,
    function: Option<RunFunction>,
    definitions: Definitions,
    held: Held,
    given_up: Vec<GivenUp>,
}

/// The source of a cell with its variables.
pub(crate) struct Rewritten {
    pub(crate) source: String,
    pub(crate) compiled: Compiled,
    /// The calls that put variables into the store.
    pub(super) puts: Vec<PutCall>,
    /// Variables that may borrow from others and are not put.
    pub(super) can_borrow: BTreeSet<String>,
}

impl Rewritten {
    #[cfg(test)]
    pub(super) fn of_puts(puts: Vec<PutCall>) -> Self {
        Self {
            source: String::new(),
            compiled: Compiled::default(),
            puts,
            can_borrow: BTreeSet::new(),
        }
    }

    /// Whether errors of rustc can be about the variables.
    pub(crate) fn has_variables(&self) -> bool {
        !self.puts.is_empty()
    }
}

/// A call that puts a variable into the store.
pub(super) struct PutCall {
    pub(super) variable: String,
    /// The type; `None` if rustc infers it.
    pub(super) of: Option<String>,
    pub(super) text: String,
}

type Edit = (Range<usize>, String);

impl Cell {
    /// Reads a cell. `arguments` are those of rustc, `held` are the variables of the session.
    pub(crate) fn read(source: String, arguments: &[String], held: Held) -> Self {
        let mut cell = Self {
            source,
            function: None,
            definitions: Definitions::default(),
            held,
            given_up: Vec::new(),
        };
        let has_variables = cell.source.contains(&format!("{STORE}."));
        if cell.held.is_empty() && !has_variables {
            return cell;
        }
        let file = SourceFile::parse(&cell.source, Edition::Edition2024).tree();
        cell.function = RunFunction::find(file.syntax());
        cell.definitions = Definitions::of(file.syntax(), crates(arguments));
        let changed = cell.held.groups.iter().filter_map(|(reached, names)| {
            let reached = reached
                .iter()
                .filter(|reached| !cell.definitions.has(reached));
            let changed = reached.min_by_key(|changed| changed.rank())?;
            Some(names.iter().map(|variable| GivenUp {
                variable: variable.clone(),
                changed: changed.clone(),
            }))
        });
        let changed = changed.flatten();
        cell.given_up = changed.collect();
        cell
    }

    /// The source as evcxr wrote it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The source, with what `decisions` say about the variables.
    pub(crate) fn rewritten(&self, decisions: &Decisions) -> Rewritten {
        let mut rewriting = Rewriting::default();
        if let Some(function) = &self.function {
            self.give_up(function, &mut rewriting);
            self.take(function, &mut rewriting);
            self.put(function, decisions, &mut rewriting);
            self.put_back(function, decisions, &mut rewriting);
            for range in &function.superfluous {
                let line_breaks = self.source[range.clone()].matches('\n').count();
                rewriting
                    .edits
                    .push((range.clone(), "\n".repeat(line_breaks)));
            }
        }
        Rewritten {
            source: apply(&self.source, rewriting.edits),
            compiled: rewriting.compiled,
            puts: rewriting.puts,
            can_borrow: rewriting.can_borrow,
        }
    }

    fn is_given_up(&self, variable: &str) -> bool {
        self.given_up.iter().any(|each| each.variable == variable)
    }

    fn give_up(&self, function: &RunFunction, rewriting: &mut Rewriting) {
        let given_up = self.given_up.iter().map(|each| &each.variable);
        let names: Vec<_> = given_up.chain(&self.held.unwanted).collect();
        if names.is_empty() {
            return;
        }
        let parameter = &function.parameter;
        // evcxr passes the pointer that the cell before this one has returned.
        rewriting.insert(
            function.start,
            format!(" unsafe {{ ::memit_session::give_up({parameter}.cast(), &{names:?}) }};"),
        );
        rewriting.compiled.given_up.clone_from(&self.given_up);
    }

    /// Takes variables in front of the part of the cell that can panic, so that a panic does not drop
    /// them.
    fn take(&self, function: &RunFunction, rewriting: &mut Rewriting) {
        let Some(places) = &function.store else {
            return;
        };
        let (mut checks, mut takes) = (String::new(), String::new());
        for (name, variable) in &function.taken {
            let Some(reached) = self.held.reached(name) else {
                continue;
            };
            if self.is_given_up(name) {
                continue;
            }
            rewriting.compiled.taken.insert(name.clone());
            let of = &variable.of;
            let known = fingerprints(self.reached(of).union(reached));
            let mutability = if variable.is_mutable { "mut " } else { "" };
            let _ = write!(
                checks,
                " vars_ok &= {STORE}.check_variable_of::<{of}>({name:?}, &{known:?});"
            );
            let _ = write!(
                takes,
                " let {mutability}{name} = {STORE}.take_variable_of::<{of}>({name:?}, &{known:?});"
            );
        }
        rewriting.insert(places.check, checks);
        rewriting.insert(places.take, takes);
    }

    /// Puts the variables that the cell has bound.
    fn put(&self, function: &RunFunction, decisions: &Decisions, rewriting: &mut Rewriting) {
        let Some(place) = function.put else { return };
        let kept = function.bound.keys();
        rewriting.can_borrow = function.shadowed.iter().cloned().collect();
        for name in kept {
            let is_left = matches!(decisions.of.get(name), Some(Decision::Left(_)));
            if !is_left {
                rewriting.can_borrow.remove(name);
            }
        }
        let mut text = String::new();
        for name in &decisions.ended {
            let _ = write!(text, " ::core::mem::drop({name});");
        }
        for (name, bound) in &function.bound {
            let of = bound.of.as_deref().map(types::never_written_out);
            let put = Put {
                of,
                is_mutable: bound.is_mutable,
                is_new: true,
                reached: BTreeSet::new(),
            };
            text += &self.put_call(name, put, decisions, rewriting);
        }
        rewriting.insert(place, text);
    }

    /// Puts back what the cell has taken and not bound anew.
    fn put_back(&self, function: &RunFunction, decisions: &Decisions, rewriting: &mut Rewriting) {
        let Some(places) = &function.store else {
            return;
        };
        let mut text = String::new();
        for name in rewriting.compiled.taken.clone() {
            let Some(variable) = function.taken.get(&name) else {
                continue;
            };
            if function.shadowed.contains(&name) {
                continue;
            }
            let put = Put {
                of: Some(variable.of.clone()),
                is_mutable: variable.is_mutable,
                is_new: false,
                reached: self.held.reached(&name).cloned().unwrap_or_default(),
            };
            text += &self.put_call(&name, put, decisions, rewriting);
            text.push(' ');
        }
        rewriting.insert(places.put_back, text);
    }

    /// The call that puts a variable, and what the decisions make of the variable.
    fn put_call(
        &self,
        name: &str,
        mut put: Put,
        decisions: &Decisions,
        rewriting: &mut Rewriting,
    ) -> String {
        match decisions.of.get(name) {
            None => {}
            Some(Decision::Typed(of)) => put.of = Some(of.clone()),
            Some(Decision::Inferred) => put.of = None,
            Some(Decision::Moved(by)) => {
                rewriting.compiled.moved.insert(name.to_owned(), by.clone());
                return String::new();
            }
            Some(Decision::Left(left)) => {
                rewriting
                    .compiled
                    .left
                    .insert(name.to_owned(), left.clone());
                return String::new();
            }
        }
        let text = match &put.of {
            Some(of) => {
                put.reached.extend(self.reached(of));
                let reached = fingerprints(put.reached.iter());
                format!(" {STORE}.put_variable_of::<{of}>({name:?}, {name}, &{reached:?});")
            }
            None => format!(" {STORE}.put_unnamed({name:?}, {name});"),
        };
        rewriting.puts.push(PutCall {
            variable: name.to_owned(),
            of: put.of.clone(),
            text: text.clone(),
        });
        rewriting.compiled.put.insert(name.to_owned(), put);
        text
    }

    fn reached(&self, of: &str) -> BTreeSet<Reached> {
        types::parsed(of)
            .map(|of| self.definitions.reached_by(&of))
            .unwrap_or_default()
    }
}

#[derive(Default)]
struct Rewriting {
    edits: Vec<Edit>,
    compiled: Compiled,
    puts: Vec<PutCall>,
    can_borrow: BTreeSet<String>,
}

impl Rewriting {
    fn insert(&mut self, at: usize, text: String) {
        self.edits.push((at..at, text));
    }
}

/// The source of a check, in which references may be variables, as in a cell that is run.
pub(crate) fn without_keeping(source: &str) -> Option<String> {
    const KEEPS: &str = "fn evcxr_variable_store<T: 'static>(_: T) {}";
    const LETS_GO: &str = "fn evcxr_variable_store<T>(_: T) {}";
    source
        .contains(KEEPS)
        .then(|| source.replacen(KEEPS, LETS_GO, 1))
}

/// Sorted, as the store expects.
fn fingerprints<'a>(reached: impl Iterator<Item = &'a Reached>) -> Vec<u64> {
    let mut fingerprints: Vec<_> = reached.map(Reached::fingerprint).collect();
    fingerprints.sort_unstable();
    fingerprints
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

/// The source with the edits, which do not overlap. Edits at one place stay in order.
fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut changed = String::with_capacity(source.len());
    let mut copied = 0;
    for (range, text) in edits {
        changed.push_str(&source[copied..range.start]);
        changed.push_str(&text);
        copied = range.end;
    }
    changed + &source[copied..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::variables::{Left, TAKEN};

    /// A cell as evcxr writes it, which takes `v` and binds `w`.
    fn cell(definition: &str, statements: &str) -> String {
        format!(
            "{definition}\n#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_1(\n\
             mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)\n  \
             -> *mut evcxr_internal_runtime::VariableStore {{\n\
             let evcxr_variable_store = unsafe {{&mut *evcxr_variable_store}};\n\
             {{let mut vars_ok = true;\nif !vars_ok {{return evcxr_variable_store;}}}}\n\
             match std::panic::catch_unwind(\n  std::panic::AssertUnwindSafe(||{{\n\
             let memit_variables = ();\nlet mut v: Vec<P> = {TAKEN};\n{statements}\n\
             evcxr_variable_store.put_variable::<()>(stringify!(memit_variables), memit_variables);\n\
             evcxr_variable_store.put_variable::<Vec<P>>(stringify!(v), v);\n\
             evcxr_variable_store.put_variable::<Vec<\nP>>(stringify!(w), w);\n\
             }})) {{ \n  Ok(_) => {{}}\n  Err(_) => {{\n}}}}\nevcxr_variable_store\n}}"
        )
    }

    /// A session that holds `v`, whose type reaches what `definition` defines.
    fn held(definition: &str) -> Held {
        let file = SourceFile::parse(definition, Edition::Edition2024).tree();
        let definitions = Definitions::of(file.syntax(), BTreeMap::new());
        let reached = definitions.reached_by(&types::parsed("Vec<P>").unwrap());
        held_with(reached)
    }

    fn held_with(reached: BTreeSet<Reached>) -> Held {
        Held {
            groups: vec![(reached, ["v".to_owned()].into())],
            unwanted: BTreeSet::new(),
        }
    }

    fn rewritten(definition: &str, statements: &str, decisions: &Decisions) -> Rewritten {
        let source = cell(definition, statements);
        let rewritten = Cell::read(source.clone(), &[], held("struct P(u8);")).rewritten(decisions);
        assert_eq!(rewritten.source.lines().count(), source.lines().count());
        rewritten
    }

    #[test]
    fn a_cell_takes_what_it_mentions_and_puts_it_back_behind_the_part_that_can_panic() {
        let Rewritten {
            source, compiled, ..
        } = rewritten("struct P(u8);", "let w = v.clone();", &Decisions::default());
        let place = |text: &str| {
            source
                .find(text)
                .unwrap_or_else(|| panic!("{text}\n{source}"))
        };
        let places = [
            place("vars_ok &= evcxr_variable_store.check_variable_of::<Vec<P>>(\"v\", &["),
            place("let mut v = evcxr_variable_store.take_variable_of::<Vec<P>>(\"v\", &["),
            place("catch_unwind"),
            place("put_variable_of::<Vec< P>>(\"w\", w, &["),
            place("Err(_)"),
            place("put_variable_of::<Vec<P>>(\"v\", v, &["),
        ];
        assert!(places.is_sorted(), "{source}");
        assert!(!source.contains("memit_"), "{source}");
        assert_eq!(compiled.taken, ["v".to_owned()].into());
        assert!(!compiled.put["v"].is_new && compiled.put["v"].is_mutable);
        assert!(compiled.put["w"].is_new && !compiled.put["w"].is_mutable);
        assert!(compiled.put["w"].reached.iter().any(|of| of.name == "P"));
    }

    #[test]
    fn a_variable_that_is_bound_again_is_not_put_back() {
        let statements = "let v = v; let w = v.clone();";
        let rewritten = rewritten("struct P(u8);", statements, &Decisions::default());
        assert!(rewritten.compiled.put["v"].is_new);
        assert_eq!(rewritten.source.matches("put_variable_of").count(), 2);
    }

    #[test]
    fn a_variable_with_a_changed_definition_is_given_up() {
        let Rewritten {
            source, compiled, ..
        } = rewritten(
            "struct P(u16);",
            "let w = vec![P(1)];",
            &Decisions::default(),
        );
        assert!(source.contains("::memit_session::give_up(evcxr_variable_store.cast(), &[\"v\"])"));
        assert!(!source.contains("take_variable_of"), "{source}");
        assert_eq!(compiled.given_up[0].variable, "v");
        assert_eq!(compiled.given_up[0].changed.name, "P");
    }

    #[test]
    fn items_give_a_variable_up_too() {
        let source = "struct P(u16);\n#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_2(\n\
            mut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {x}";
        let rewritten = Cell::read(source.to_owned(), &[], held("struct P(u8);"))
            .rewritten(&Decisions::default());
        assert!(rewritten.source.contains("give_up(x.cast(), &[\"v\"])"));
        assert!(!rewritten.has_variables());
        let same = Cell::read(source.to_owned(), &[], held("struct P(u16);"));
        assert_eq!(same.rewritten(&Decisions::default()).source, source);
    }

    #[test]
    fn decisions_change_what_is_put() {
        let mut decisions = Decisions::default();
        let moved = Decision::Moved("drop(v)".to_owned());
        decisions.of.insert("v".to_owned(), moved);
        decisions.of.insert("w".to_owned(), Decision::Inferred);
        let statements = "drop(v); let w = f();";
        let inferred = rewritten("struct P(u8);", statements, &decisions);
        assert!(inferred.source.contains("put_unnamed(\"w\", w);"));
        assert_eq!(inferred.compiled.moved["v"], "drop(v)");
        assert_eq!(inferred.compiled.put["w"].of, None);
        let left = Decision::Left(Left::Borrows(Some("v".to_owned())));
        decisions.of.insert("w".to_owned(), left);
        decisions.ended.insert("w".to_owned());
        let left = rewritten("struct P(u8);", statements, &decisions);
        assert!(left.source.contains("::core::mem::drop(w);"));
        assert!(!left.has_variables());
        assert!(left.can_borrow.contains("w"));
    }

    #[test]
    fn a_let_that_evcxr_does_not_see_is_put_as_rustc_infers() {
        let statements = "memit_unseen!(a b =>\nlet (mut a, b) = f();\n);\nlet w = b;";
        let rewritten = rewritten("struct P(u8);", statements, &Decisions::default());
        assert!(rewritten.source.contains("put_unnamed(\"a\", a);"));
        assert!(rewritten.compiled.put["a"].is_mutable);
        assert!(!rewritten.compiled.put["b"].is_mutable);
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
        let source = || cell("struct P(u8);", "let w = v;");
        let metadata = |value: &str| ["-C".to_owned(), format!("metadata={value}")];
        let first = Cell::read(source(), &metadata("0"), held("struct P(u8);"));
        let put = first.rewritten(&Decisions::default()).compiled.put;
        let held = held_with(put["w"].reached.clone());
        let given_up = |value| {
            Cell::read(source(), &metadata(value), held.clone())
                .given_up
                .len()
        };
        assert_eq!([given_up("0"), given_up("1")], [0, 1]);
    }
}
