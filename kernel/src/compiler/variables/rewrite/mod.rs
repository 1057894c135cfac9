//! Lets a cell take its variables from the store and put them into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use ra_ap_syntax::ast::AstNode;
use ra_ap_syntax::{Edition, SourceFile};

use super::decisions::{Decision, Decisions, slot};
use super::run_function::{RunFunction, STORE};
use super::session_definitions::SessionDefinitions;
use super::{Compiled, GivenUp, Held, Put, types};
use crate::compiler::definitions::{Reached, tokens};
use crate::compiler::edits::{self, Edit};
use crate::compiler::{CELL_CRATE, externs};

/// A cell that is to be run.
pub(crate) struct Cell {
    source: String,
    function: Option<RunFunction>,
    definitions: SessionDefinitions,
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
}

/// A call that puts a variable into the store.
#[derive(Clone)]
pub(super) struct PutCall {
    pub(super) slot: String,
    pub(super) variable: String,
    /// The type; `None` if rustc infers it.
    pub(super) of: Option<String>,
    /// Whether the source shows a type that every cell can write.
    pub(super) is_evident: bool,
    pub(super) text: String,
}

impl Cell {
    /// Reads a cell. `arguments` are those of rustc, `held` are the variables of the session.
    pub(crate) fn read(session: &Path, source: String, arguments: &[String], held: Held) -> Self {
        let mut cell = Self {
            function: None,
            definitions: SessionDefinitions::of(session, &source, crates(arguments)),
            source,
            held,
            given_up: Vec::new(),
        };
        let has_variables = cell.source.contains(&format!("{STORE}."));
        if cell.held.is_empty() && !has_variables {
            return cell;
        }
        // The items count by their length only.
        let items = cell.definitions.length();
        let function = " ".repeat(items) + &cell.source[items..];
        let file = SourceFile::parse(&function, Edition::Edition2024).tree();
        cell.function = RunFunction::find(file.syntax());
        let changed = cell.held.groups.iter().filter_map(|(reached, names)| {
            let missing = cell.definitions.missing(reached).into_iter();
            let changed = missing.min_by_key(|changed| changed.rank())?;
            Some(names.iter().map(|variable| GivenUp {
                variable: variable.clone(),
                changed: changed.clone(),
            }))
        });
        let changed = changed.flatten();
        cell.given_up = changed.collect();
        cell
    }

    /// Keeps what the cell has asked about definitions.
    pub(crate) fn keep_definitions(&self, session: &Path) -> io::Result<()> {
        self.definitions.keep(session)
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
            source: edits::apply(&self.source, rewriting.edits),
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
        if let Some(places) = &function.store {
            rewriting.insert(places.check, checks);
            rewriting.insert(places.take, takes);
        } else if let Some(places) = &function.no_store
            && !rewriting.compiled.taken.is_empty()
        {
            let names = Vec::from_iter(&rewriting.compiled.taken);
            // evcxr passes the pointer that the cell before this one has returned.
            let store = format!(
                " let memit_store = {STORE}; let ::core::option::Option::Some({STORE}) = \
                 (unsafe {{ ::memit_session::store_of(memit_store.cast(), &{names:?}) }}) \
                 else {{ return memit_store; }}; {{ let mut vars_ok = true;{checks} \
                 if !vars_ok {{ return memit_store; }} }}{takes}"
            );
            rewriting.insert(function.start, store);
            if let Some((catch, caught)) = &places.catch {
                let safe = "catch_unwind(::std::panic::AssertUnwindSafe(||{";
                rewriting.edits.push((catch.clone(), safe.to_owned()));
                rewriting
                    .edits
                    .push((caught.clone(), "})).is_err() {".to_owned()));
            }
        }
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

    /// Puts back what the cell has taken, unless it has bound another variable of the name for later
    /// cells.
    fn put_back(&self, function: &RunFunction, decisions: &Decisions, rewriting: &mut Rewriting) {
        let mut text = String::new();
        for name in rewriting.compiled.taken.clone() {
            let Some(variable) = function.taken.get(&name) else {
                continue;
            };
            let compiled = &rewriting.compiled;
            let is_replaced =
                compiled.put.contains_key(&name) || compiled.moved.contains_key(&name);
            if is_replaced {
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
        if let Some(places) = &function.store {
            rewriting.insert(places.put_back, text);
        } else if let Some(places) = &function.no_store
            && !rewriting.compiled.taken.is_empty()
        {
            text += "memit_store";
            rewriting.edits.push((places.result.clone(), text));
        }
    }

    /// The call that puts a variable, and what the decisions make of the variable.
    fn put_call(
        &self,
        name: &str,
        mut put: Put,
        decisions: &Decisions,
        rewriting: &mut Rewriting,
    ) -> String {
        let slot = slot(name, put.is_new);
        match decisions.of.get(&slot) {
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
        let bound = self.function.as_ref().and_then(|of| of.bound.get(name));
        rewriting.puts.push(PutCall {
            slot,
            variable: name.to_owned(),
            of: put.of.clone(),
            is_evident: bound.is_some_and(|bound| bound.is_evident),
            text: text.clone(),
        });
        rewriting.compiled.put.insert(name.to_owned(), put);
        text
    }

    fn reached(&self, of: &str) -> BTreeSet<Reached> {
        self.definitions.reached_by(of)
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
pub(crate) fn crates(arguments: &[String]) -> BTreeMap<String, u64> {
    let state = |file: &str| {
        let changed = fs::metadata(file).ok()?.modified().ok()?;
        let since = changed.duration_since(UNIX_EPOCH).ok()?;
        u64::try_from(since.as_nanos()).ok()
    };
    let dependencies =
        externs(arguments).map(|(name, file)| (name.to_owned(), state(file).unwrap_or(0)));
    let metadata = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("metadata="));
    let cell = metadata.map(|metadata| (CELL_CRATE.to_owned(), tokens::hash(metadata)));
    dependencies.chain(cell).collect()
}

#[cfg(test)]
mod tests;
