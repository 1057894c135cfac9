//! The record of the session's variables.
//!
//! evcxr forgets the variables of each cell when the cell has run. The record says which variables
//! there are, and binds in front of a cell those that the cell mentions. What a cell costs does
//! therefore not depend on what the session holds.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use memit_magics::cell;
use memit_magics::cell::syntax::{self, Let, Statements};

use super::inserted::Inserted;
use crate::compiler::statics::Numbers;
use crate::compiler::variables::{
    self, ANCHOR, BOUND, Compiled, Gone, How, Put, TAKEN, UNSEEN, Variable, Variables,
};

/// A static that starts anew.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Anew {
    /// Its definition, or what its type reaches, has changed.
    Edited(String),
    /// Each cell that uses it has its own.
    Unshared(String),
}

/// The variables of a session, as cells see them.
#[derive(Default)]
pub(super) struct Record {
    variables: Arc<Variables>,
    /// Whether the compiler knows these variables.
    is_told: bool,
    /// The number that front-ends show for the running cell.
    pub(super) cell: u64,
}

/// How a cell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At its end.
    Complete,
    /// Early, and what it did stays.
    Early,
    /// The session is as before the cell.
    Undone,
}

/// The session's variables at some time, to return to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot(Arc<Variables>);

impl Record {
    pub(super) fn variables(&self) -> &Variables {
        &self.variables
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::clone(&self.variables))
    }

    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        self.variables = Arc::clone(&snapshot.0);
        self.is_told = false;
    }

    pub(super) fn clear(&mut self) {
        self.restore(&Snapshot::default());
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Variables)) {
        change(Arc::make_mut(&mut self.variables));
        self.is_told = false;
    }

    /// Tells the compiler of the variables, if they have changed.
    pub(super) fn tell(&mut self, session: &Path) -> io::Result<()> {
        if !self.is_told {
            variables::tell(session, &self.variables)?;
            self.is_told = true;
        }
        Ok(())
    }

    /// The source of a cell, with the variables that it mentions bound in front of its `statements`.
    /// evcxr does not see the `let`s without a type, because `rustc` names the types.
    pub(super) fn bound(&self, source: &str, statements: &Statements) -> Inserted {
        let Some(start) = statements.start_of_run() else {
            return Inserted::new(source, &[]);
        };
        let (commands, rust) = cell::split_commands(source);
        let start = commands.len() + start;
        let words = syntax::words(rust);
        let mentioned = |name: &str| words.contains(name.trim_start_matches("r#"));
        let lets = statements.lets();
        let mut insertions = Vec::new();
        for each in &lets {
            let is_unseen = !each.names.is_empty() && !each.is_typed();
            if is_unseen && statements.is_valid() {
                let places = each.range.start + commands.len()..each.range.end + commands.len();
                insertions.push((places.start, unseen_start(each)));
                insertions.push((places.end, ");".to_owned()));
            }
        }
        let has_unseen = !insertions.is_empty();
        let bindings = self.bindings(mentioned);
        if lets.is_empty() && !bindings.is_empty() {
            insertions.push((start, format!("{BOUND}!({bindings} );")));
        } else if has_unseen || !bindings.is_empty() {
            let definition = if has_unseen { UNSEEN_MACRO } else { "" };
            let line = format!("{definition}let {ANCHOR} = ();{bindings}");
            insertions.insert(0, (start, line));
        }
        Inserted::new(source, &insertions)
    }

    /// The source of a check whose Rust begins at the byte `start`, with the variables that it mentions
    /// bound in front of the Rust.
    pub(super) fn bound_for_check(&self, source: &str, start: usize) -> Inserted {
        let words = syntax::words(&source[start..]);
        let bindings = self.bindings(|name| words.contains(name.trim_start_matches("r#")));
        let line = format!("let {ANCHOR} = ();{bindings}");
        Inserted::new(source, &[(start, line)])
    }

    /// The statements that bind variables.
    pub(super) fn bindings(&self, is_wanted: impl Fn(&str) -> bool) -> String {
        let mut bindings = String::new();
        let wanted = self
            .variables
            .held
            .iter()
            .filter(|(name, _)| is_wanted(name));
        for (name, variable) in wanted {
            let mutability = if variable.is_mutable { "mut " } else { "" };
            let of = &variable.of;
            let _ = write!(bindings, " let {mutability}{name}: {of} = {TAKEN};");
        }
        bindings
    }

    /// Records that the session does not keep a variable. It may hold an older one of the name.
    pub(super) fn leave(&mut self, name: &str) {
        let gone = Gone {
            cell: self.cell,
            how: How::Left,
        };
        if !self.variables.held.contains_key(name) {
            self.change(|variables| {
                variables.gone.insert(name.to_owned(), Arc::new(gone));
            });
        }
    }

    /// Records the names that a cell has bound in its blocks, for a cell that misses one.
    pub(super) fn remember_blocks(&mut self, names: Vec<String>) {
        let variables = &self.variables;
        let is_other = |name: &String| {
            !variables.held.contains_key(name) && !variables.gone.contains_key(name)
        };
        let names: Vec<_> = names.into_iter().filter(is_other).collect();
        let cell = self.cell;
        for name in names {
            let how = How::InBlock;
            let gone = Arc::new(Gone { cell, how });
            Arc::make_mut(&mut self.variables).gone.insert(name, gone);
        }
    }

    /// Whether the running cell has bound the variable of this name that the session holds.
    pub(super) fn is_new(&self, name: &str) -> bool {
        let held = self.variables.held.get(name);
        held.is_some_and(|held| held.cell == self.cell)
    }

    /// Records what a cell did that ended so. Returns the statics that start anew with the cell.
    pub(super) fn settle(&mut self, compiled: &Compiled, end: End) -> Vec<Anew> {
        if end == End::Undone {
            return Vec::new();
        }
        self.settle_variables(compiled, end);
        let edited = self.settle_statics(&compiled.statics);
        let mut anew: Vec<_> = edited.into_iter().map(Anew::Edited).collect();
        anew.extend(
            self.settle_unshared(&compiled.unshared)
                .into_iter()
                .map(Anew::Unshared),
        );
        anew
    }

    /// Returns the statics that an earlier cell has used, too, if no cell has said so.
    fn settle_unshared(&mut self, unshared: &BTreeSet<String>) -> Vec<String> {
        let before = Arc::clone(&self.variables.unshared);
        let new: Vec<_> = unshared
            .iter()
            .filter(|path| before.get(*path) != Some(&true))
            .collect();
        if new.is_empty() {
            return Vec::new();
        }
        let known = Arc::make_mut(&mut Arc::make_mut(&mut self.variables).unshared);
        for path in &new {
            known.insert(String::clone(path), before.contains_key(*path));
        }
        let is_known = |path: &&String| before.contains_key(*path);
        new.into_iter().filter(is_known).cloned().collect()
    }

    fn settle_statics(&mut self, statics: &Numbers) -> Vec<String> {
        let before = Arc::clone(&self.variables.statics);
        let is_other = |(path, number): &(&String, &u64)| before.get(*path) != Some(*number);
        let mut new = statics.iter().filter(is_other).peekable();
        if new.peek().is_none() {
            return Vec::new();
        }
        let mut anew = Vec::new();
        let known = Arc::make_mut(&mut Arc::make_mut(&mut self.variables).statics);
        for (path, number) in new {
            if known.insert(path.clone(), *number).is_some() {
                anew.push(path.clone());
            }
        }
        anew
    }

    fn settle_variables(&mut self, compiled: &Compiled, end: End) {
        let cell = self.cell;
        let before = Arc::clone(&self.variables);
        let is_back = |name: &String, put: &Put| {
            let held = before.held.get(name);
            !put.is_new
                && held.is_some_and(|held| {
                    put.of.as_deref() == Some(&held.of) && put.reached == held.reached
                })
        };
        let all_back = before.unwanted.is_empty()
            && compiled.put.iter().all(|(name, put)| is_back(name, put))
            && compiled
                .taken
                .iter()
                .all(|name| compiled.put.contains_key(name))
            && compiled.moved.is_empty()
            && compiled.left.is_empty()
            && compiled.given_up.is_empty();
        if all_back {
            return;
        }
        self.change(|variables| {
            variables.unwanted.clear();
            for name in &compiled.taken {
                variables.held.remove(name);
            }
            let mut ended = |name: &String, how| {
                variables.held.remove(name);
                let gone = Gone { cell, how };
                variables.gone.insert(name.clone(), Arc::new(gone));
            };
            for given_up in &compiled.given_up {
                ended(&given_up.variable, How::GivenUp(given_up.changed.clone()));
            }
            for (name, by) in &compiled.moved {
                ended(name, How::Moved(by.clone()));
            }
            for name in compiled.left.keys() {
                ended(name, How::Left);
            }
            for (name, put) in &compiled.put {
                if put.is_new && end == End::Early {
                    continue;
                }
                variables.gone.remove(name);
                let Some(of) = put.of.clone() else { continue };
                let bound_before = before.held.get(name).filter(|_| !put.is_new);
                let variable = Variable {
                    of,
                    is_mutable: put.is_mutable,
                    cell: bound_before.map_or(cell, |before| before.cell),
                    reached: put.reached.clone(),
                };
                variables.held.insert(name.clone(), Arc::new(variable));
            }
        });
    }
}

/// What opens the line before a `let` that evcxr must not see.
fn unseen_start(each: &Let) -> String {
    let names = if each.is_closure && each.of.is_none() {
        String::new()
    } else {
        each.names.join(" ")
    };
    format!("{UNSEEN}!({names} =>")
}

/// The macro that hides a `let` from evcxr and shows it to rustc and to the analyser.
const UNSEEN_MACRO: &str = "#[allow(unused_macros)] macro_rules! memit_unseen { ($($name:ident)* => $($rest:tt)*) => { $($rest)* } } ";

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mut record = Record {
            cell: 3,
            ..Record::default()
        };
        let put = |of: &str, is_mutable| Put {
            of: Some(of.to_owned()),
            is_mutable,
            is_new: true,
            reached: BTreeSet::new(),
        };
        let compiled = Compiled {
            put: [("a", put("u8", true)), ("b", put("String", false))]
                .map(|(name, put)| (name.to_owned(), put))
                .into(),
            ..Compiled::default()
        };
        record.settle(&compiled, End::Complete);
        record
    }

    fn of_record(source: &str) -> Inserted {
        record().bound(source, &cell::rust(source))
    }

    #[test]
    fn a_cell_gets_what_it_mentions() {
        let bound = of_record(":dep x\nlet c = a;\nlet f = |x| x; c");
        insta::assert_snapshot!(bound.source, @r#"
        :dep x
        #[allow(unused_macros)] macro_rules! memit_unseen { ($($name:ident)* => $($rest:tt)*) => { $($rest)* } } let memit_variables = (); let mut a: u8 = ::core::option::Option::None.expect("memit_taken");
        memit_unseen!(c =>
        let c = a;
        );
                  
        memit_unseen!( =>
        let f = |x| x;
        );
                       c
        "#);
        assert_eq!(bound.original(4), Some(2));
        let items = of_record("fn f(a: u8) {}");
        assert_eq!(items.source, "fn f(a: u8) {}");
        assert_eq!(of_record("1 + 1").source, "1 + 1");
    }

    #[test]
    fn a_moved_variable_is_remembered() {
        let mut record = record();
        record.cell = 7;
        let compiled = Compiled {
            taken: ["b".to_owned()].into(),
            moved: [("b".to_owned(), "drop(b)".to_owned())].into(),
            ..Compiled::default()
        };
        record.settle(&compiled, End::Undone);
        assert!(record.variables().held.contains_key("b"));
        record.settle(&compiled, End::Early);
        assert!(!record.variables().held.contains_key("b"));
        assert_eq!(record.variables().gone["b"].cell, 7);
    }

    #[test]
    fn an_edited_static_starts_anew() {
        let mut record = Record::default();
        let compiled = |number| Compiled {
            statics: [("HITS".to_owned(), number)].into(),
            ..Compiled::default()
        };
        assert!(record.settle(&compiled(1), End::Complete).is_empty());
        assert!(record.settle(&compiled(1), End::Complete).is_empty());
        let before = record.snapshot();
        assert!(record.settle(&compiled(2), End::Undone).is_empty());
        let edited = [Anew::Edited("HITS".to_owned())];
        assert_eq!(record.settle(&compiled(2), End::Early), edited);
        record.restore(&before);
        assert_eq!(record.settle(&compiled(2), End::Complete), edited);
    }

    #[test]
    fn a_static_that_cells_do_not_share_is_told_once() {
        let mut record = Record::default();
        let compiled = Compiled {
            unshared: ["MADE".to_owned()].into(),
            ..Compiled::default()
        };
        let told = [Anew::Unshared("MADE".to_owned())];
        assert!(record.settle(&compiled, End::Undone).is_empty());
        assert!(record.settle(&compiled, End::Complete).is_empty());
        assert!(
            record
                .settle(&Compiled::default(), End::Complete)
                .is_empty()
        );
        let before = record.snapshot();
        assert_eq!(record.settle(&compiled, End::Complete), told);
        assert!(record.settle(&compiled, End::Complete).is_empty());
        record.restore(&before);
        assert_eq!(record.settle(&compiled, End::Early), told);
    }

    #[test]
    fn what_an_early_end_binds_is_not_held() {
        let mut record = Record::default();
        let put = Put {
            of: Some("u8".to_owned()),
            is_mutable: false,
            is_new: true,
            reached: BTreeSet::new(),
        };
        let compiled = Compiled {
            put: [("n".to_owned(), put)].into(),
            ..Compiled::default()
        };
        record.settle(&compiled, End::Early);
        assert!(record.variables().held.is_empty());
    }
}
