//! Tells evcxr what an implementation belongs to.
//!
//! evcxr stores an item under its name, and an item without a name, such as an `impl`, under the
//! named item before it in its cell. A new definition of this name would take the `impl` along, and
//! an `impl` that stands alone would never be replaced. The kernel therefore puts a constant before
//! each item without a name. The constant stands for the trait and the type, so that the next
//! `impl` for them replaces the first.
//!
//! A cell with a type and its implementations can be edited and run again. The implementations of
//! its last run then end, as they may mention fields that are gone. The kernel knows such a cell by
//! its definition of the type and at least one implementation for the type.

mod imports;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use memit_magics::cell;

use super::rewriting::{Rewriting, Rewritten};
use crate::compiler::marks::{self, IMPLEMENTATION as MARK};
use imports::Imports;
use syntax::{Implementation, Item, Kind};

/// The implementations of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Implementations {
    known: Vec<Known>,
    /// The number of the source that defines each type and each trait.
    defined: BTreeMap<String, usize>,
    imports: Imports,
    /// The number of sources so far.
    sources: usize,
    /// The number of inherent implementations so far.
    inherent: usize,
}

/// An implementation that evcxr knows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    of: Implementation,
    mark: String,
    /// The number of its source.
    source: usize,
}

/// A source with marks.
pub(crate) struct Marked {
    pub(crate) rewritten: Rewritten,
    /// The implementations of the session with those of the source.
    pub(crate) implementations: Implementations,
}

impl Implementations {
    /// Marks the implementations in `source`, and the other items that have no name.
    pub(crate) fn mark(&self, source: &str) -> Marked {
        let mut implementations = self.clone();
        let (commands, rust) = cell::split_commands(source);
        let mut rewriting = Rewriting::new(source);
        for (at, marks) in implementations.marks(rust) {
            let at = commands.len() + at;
            // On a line of its own, so that the columns of the item stay.
            let indent = rewriting.indent(at);
            rewriting.insert(at, format!("\n{marks}\n{indent}"));
        }
        Marked {
            rewritten: rewriting.done(),
            implementations,
        }
    }

    /// Code that ends the implementations of the trait or for the type `name`, and the implementations
    /// that are left.
    pub(crate) fn delete(&self, name: &str) -> (String, Self) {
        let mut left = self.clone();
        left.defined.remove(name);
        let marks = left.forget(|known| {
            let names = [&known.of.trait_name, &known.of.type_name];
            names.into_iter().flatten().any(|other| other == name)
        });
        let ends = marks.iter().map(|mark| marks::end(mark));
        (ends.collect(), left)
    }

    /// The constants to put before items of `rust`, with the bytes at which the items start.
    fn marks(&mut self, rust: &str) -> Vec<(usize, String)> {
        const WORDS: [&str; 7] = ["struct", "enum", "union", "trait", "impl", "extern", "use "];
        let has_items = |word: &str| rust.contains(word);
        if !WORDS.into_iter().any(has_items) && !rust.contains("const _") {
            return Vec::new();
        }
        self.sources += 1;
        let items = syntax::items(rust, &mut self.imports);
        let implemented: BTreeSet<_> = items.iter().flat_map(names).collect();
        let marks = items.iter().map(|Item { at, kind }| {
            let marks = match kind {
                Kind::Definition { name, derived } => {
                    self.define(name, derived, implemented.contains(name))
                }
                Kind::Implementation(of) => self.implement(of),
                Kind::Unnamed(tokens) => vec![named(tokens)],
            };
            let constant = |mark: &String| format!("const {mark}: () = ();");
            (*at, marks.iter().map(constant).collect::<String>())
        });
        marks.filter(|(_, marks)| !marks.is_empty()).collect()
    }

    /// The marks of the implementations that end with a new definition of `name`: those that it
    /// derives, and, if the cell `implements` the name anew, those of the cell's last run.
    fn define(
        &mut self,
        name: &String,
        derived: &BTreeSet<String>,
        implements: bool,
    ) -> Vec<String> {
        let before = self.defined.insert(name.clone(), self.sources);
        let current = self.sources;
        self.forget(|known| {
            let Implementation {
                trait_name,
                type_name,
                ..
            } = &known.of;
            let is_of_type = type_name.as_ref() == Some(name);
            let is_of_trait = trait_name.as_ref() == Some(name);
            let is_of_last_run = implements && Some(known.source) == before;
            let is_derived = trait_name
                .as_ref()
                .is_some_and(|name| derived.contains(name));
            known.source != current
                && ((is_of_last_run && (is_of_type || is_of_trait)) || (is_derived && is_of_type))
        })
    }

    /// The marks of an implementation, and of those that it replaces.
    fn implement(&mut self, of: &Implementation) -> Vec<String> {
        // A type can have several inherent implementations, which have no name in common.
        let mut marks = self.forget(|known| {
            let is_same = of.trait_name.is_some() || !known.of.names.is_disjoint(&of.names);
            known.of.key == of.key && is_same
        });
        if marks.is_empty() {
            marks.push(if of.trait_name.is_some() {
                named(&of.key)
            } else {
                self.inherent += 1;
                format!("{MARK}{}", self.inherent)
            });
        }
        self.known.push(Known {
            of: of.clone(),
            mark: marks[marks.len() - 1].clone(),
            source: self.sources,
        });
        marks
    }

    /// Forgets the implementations that `end`. Returns their marks.
    fn forget(&mut self, end: impl Fn(&Known) -> bool) -> Vec<String> {
        let (ended, others) = std::mem::take(&mut self.known).into_iter().partition(end);
        self.known = others;
        let ended: Vec<Known> = ended;
        ended.into_iter().map(|known| known.mark).collect()
    }
}

/// The trait and the type of an implementation.
fn names(item: &Item) -> Vec<String> {
    match &item.kind {
        Kind::Implementation(of) => [&of.trait_name, &of.type_name]
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        _ => Vec::new(),
    }
}

/// A mark that is the same for the same `key`.
fn named(key: &str) -> String {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    format!("{MARK}{:016X}", hasher.finish())
}

#[cfg(test)]
mod tests;
