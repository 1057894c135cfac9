//! The definitions that a type reaches.
//!
//! The identity of a type (`TypeId`) is its path and the names of its fields. What the fields are
//! made of can change while the identity stays. A variable is therefore kept only while every
//! definition that its type reaches, by name and through other definitions, has the same tokens.
//! Names are not resolved: a name reaches every definition of that name, in any module, so that
//! a mistake drops a variable and never keeps one.

mod collect;
pub(crate) mod mentions;
pub(crate) mod tokens;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ra_ap_syntax::SyntaxNode;
use ra_ap_syntax::ast::{self, AstNode};
use serde::{Deserialize, Serialize};

use super::CELL_CRATE;
use super::macro_calls::{Macros, Makes};
use mentions::{ANY, ERROR, Mention};

/// A definition that a type reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Reached {
    pub(crate) name: String,
    pub(crate) what: What,
}

/// What a reached name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum What {
    /// A type with these tokens, which values can contain.
    Type(u64),
    /// Another definition with these tokens.
    Other(u64),
    /// An import with these tokens, which defines nothing.
    Import(u64),
    /// An `impl` for a type of this name, with these tokens.
    Impl(u64),
    /// A crate in this state.
    Crate(u64),
    /// Nothing that the session defines.
    Foreign,
    /// The crate of the cell, which is part of the identity of all its types.
    Cell(u64),
}

impl Reached {
    /// The lower, the better the definition explains why a variable is given up.
    pub(crate) fn rank(&self) -> u8 {
        match self.what {
            What::Type(_) => 0,
            What::Other(_) | What::Import(_) => 1,
            What::Impl(_) => 2,
            What::Crate(_) => 3,
            What::Foreign => 4,
            What::Cell(_) => 5,
        }
    }

    /// A number for the definition, the same in every compilation.
    pub(crate) fn fingerprint(&self) -> u64 {
        tokens::hash(self)
    }
}

/// A definition of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Definition {
    reached: Reached,
    mentions: BTreeSet<Mention>,
}

/// The definitions of a session, by name.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    by_name: HashMap<String, Vec<Definition>>,
    /// What implementations of traits say about the types of these names.
    attached: HashMap<String, Vec<Definition>>,
    /// The names in the types that implement `Error`.
    errors: BTreeSet<Mention>,
    /// The imports of everything in a foreign module, and the calls of macros that may define any
    /// name.
    globs: Vec<Definition>,
    macros: Macros,
    /// The number of calls around the items that are being read.
    depth: usize,
    /// The state of each dependency, and of the crate of the cell.
    crates: BTreeMap<String, u64>,
}

/// Names that no import of everything is expected to hide.
const PRELUDE: &[&str] = &[
    "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize", "f32", "f64", "String", "Vec", "Box", "Option", "Result", "Fn", "FnMut",
    "FnOnce", "Send", "Sync", "Sized", "Copy", "Clone", "Iterator",
];

impl Definitions {
    /// The definitions in `file`, a session's source. `crates` are the dependencies with a number
    /// that changes when a dependency is compiled again.
    pub(crate) fn of(file: &SyntaxNode, crates: BTreeMap<String, u64>) -> Self {
        let mut definitions = Self {
            crates,
            ..Self::default()
        };
        for of in file.children().filter_map(ast::MacroRules::cast) {
            definitions.macros.define(&of);
        }
        definitions.collect(file);
        definitions
    }

    /// Whether a call may make items.
    pub(crate) fn may_make_items(&self, call: &ast::MacroCall) -> bool {
        self.macros.makes(call) != Makes::Statements
    }

    /// Whether the session still has this definition.
    pub(crate) fn has(&self, reached: &Reached) -> bool {
        let name = &reached.name;
        match reached.what {
            What::Crate(state) | What::Cell(state) => self.crates.get(name) == Some(&state),
            What::Foreign => !self.by_name.contains_key(name),
            What::Type(_) | What::Other(_) | What::Import(_) | What::Impl(_) => {
                let attached = self.attached.get(name).into_iter().flatten();
                self.by_name
                    .get(name)
                    .into_iter()
                    .flatten()
                    .chain(attached)
                    .chain(&self.globs)
                    .any(|definition| definition.reached == *reached)
            }
        }
    }

    /// The definitions that the type `of` reaches.
    pub(crate) fn reached_by(&self, of: &SyntaxNode) -> BTreeSet<Reached> {
        let mut reached = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<Mention> = mentions::of(of).into_iter().collect();
        while let Some(mention) = open.pop() {
            if !seen.insert(mention.clone()) {
                continue;
            }
            let mut reach = |definition: &Definition| {
                if reached.insert(definition.reached.clone()) {
                    open.extend(definition.mentions.iter().cloned());
                }
            };
            let Mention { name, is_qualified } = &mention;
            let defined = self.by_name.get(name);
            let attached = self.attached.get(name);
            for definition in defined.into_iter().chain(attached).flatten() {
                reach(definition);
            }
            // A value of any type of the session can be behind these traits.
            if ANY.contains(&name.as_str()) {
                self.by_name.values().flatten().for_each(&mut reach);
            } else if ERROR.contains(&name.as_str()) {
                open.extend(self.errors.iter().cloned());
            }
            if defined.is_some() || *is_qualified {
                continue;
            }
            if let Some(state) = self.crates.get(name) {
                reached.insert(Reached {
                    name: name.clone(),
                    what: What::Crate(*state),
                });
                continue;
            }
            reached.insert(Reached {
                name: name.clone(),
                what: What::Foreign,
            });
            if !PRELUDE.contains(&name.as_str()) {
                for glob in &self.globs {
                    if reached.insert(glob.reached.clone()) {
                        open.extend(glob.mentions.iter().cloned());
                    }
                }
            }
        }
        let is_of_cell = |reached: &Reached| matches!(reached.what, What::Type(_) | What::Other(_));
        if let Some(state) = self.crates.get(CELL_CRATE)
            && reached.iter().any(is_of_cell)
        {
            reached.insert(Reached {
                name: CELL_CRATE.to_owned(),
                what: What::Cell(*state),
            });
        }
        reached
    }
}

#[cfg(test)]
mod tests;
