//! Keeps the items that calls of macros make.
//!
//! evcxr takes `unit!(Metre);` for an expression and forgets `Metre` when the cell ends. The kernel
//! therefore writes a constant around a call that makes items, which evcxr keeps, and the stand-in
//! for `rustc` puts the call in the place of the constant. A call ends when another call or an item
//! of the session defines one of its names, or when a call of the same macro implements the same
//! trait for the same type.

mod statements;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use memit_magics::cell;

use super::rewriting::{Rewriting, Rewritten};
use crate::compiler::macro_calls::{self, Macros, Makes};
use crate::compiler::marks;
use statements::{Call, Statement};

/// The macros of a session, and the calls that make items.
#[derive(Debug, Clone, Default)]
pub(crate) struct ItemCalls {
    macros: Macros,
    known: Vec<Known>,
    /// The names of the items that no call makes.
    plain: BTreeSet<String>,
    /// Macros that were taken for makers of items by mistake.
    of_statements: BTreeSet<String>,
    /// The number of constants so far.
    count: usize,
}

/// A call that evcxr keeps.
#[derive(Debug, Clone)]
struct Known {
    mark: String,
    makes: BTreeSet<String>,
    /// The traits and types of the implementations that the call makes, together with the macro.
    implements: BTreeSet<String>,
    /// The macro and the arguments by which its calls are told apart.
    key: String,
}

/// A source whose calls evcxr keeps.
pub(crate) struct Kept {
    pub(crate) rewritten: Rewritten,
    /// The calls of the session with those of the source.
    pub(crate) calls: ItemCalls,
    /// The macros of which only the tokens of a call say that the call makes items.
    guessed: BTreeSet<String>,
}

/// Items to delete.
pub(crate) struct Deleted {
    /// The code that ends them.
    pub(crate) source: String,
    /// Their names.
    pub(crate) names: BTreeSet<String>,
}

impl Kept {
    /// Whether a call may turn out to be no item when the source is compiled.
    pub(crate) fn is_guess(&self) -> bool {
        !self.guessed.is_empty()
    }
}

impl ItemCalls {
    /// Makes evcxr keep the items that calls in `source` make.
    pub(crate) fn keep(&self, source: &str) -> Kept {
        let mut kept = Kept {
            rewritten: Rewritten::unchanged(source),
            calls: self.clone(),
            guessed: BTreeSet::new(),
        };
        let (commands, rust) = cell::split_commands(source);
        let statements = statements::of(rust);
        if statements.is_empty() {
            return kept;
        }
        for statement in &statements {
            if let Statement::Macro(of) = statement {
                kept.calls.macros.define(of);
            }
        }
        let earlier = std::mem::take(&mut kept.calls.known);
        let mut session = Changing {
            earlier,
            ended: BTreeSet::new(),
        };
        let mut rewriting = Rewriting::new(source);
        let start = commands.len();
        for statement in &statements {
            match statement {
                Statement::Macro(of) => {
                    let names = macro_calls::item_names(&of.clone().into());
                    kept.calls.define(names, &mut session);
                }
                Statement::End(name) => kept.calls.end(name, &mut session),
                Statement::Item(names) => kept.calls.define(names.clone(), &mut session),
                Statement::Call(call) => {
                    let Some((makes, is_sure)) = kept.calls.makes(call) else {
                        continue;
                    };
                    if !is_sure {
                        kept.guessed.insert(call.name.clone());
                    }
                    let mark = kept.calls.make(call, makes, &mut session);
                    enclose(
                        &mut rewriting,
                        start,
                        call,
                        &mark,
                        &kept.calls.analysed(call),
                    );
                }
            }
        }
        let ended: String = session.ended.iter().map(|name| marks::end(name)).collect();
        if !ended.is_empty() {
            rewriting.insert_before_others(start, ended + "\n");
        }
        kept.calls.known.splice(..0, session.earlier);
        kept.rewritten = rewriting.done();
        kept
    }

    /// Code that ends the item `name`, which a cell or a call has made; `None` if there is none.
    pub(crate) fn delete(&self, name: &str) -> Option<Deleted> {
        let is_maker = |known: &&Known| known.makes.contains(name);
        let made = self.known.iter().filter(is_maker);
        let mut names: BTreeSet<_> = made.clone().flat_map(|known| known.makes.clone()).collect();
        if names.is_empty() && !self.plain.contains(name) {
            return None;
        }
        names.insert(name.to_owned());
        let marks = made.map(|known| &known.mark).chain(&names);
        Some(Deleted {
            source: marks.map(|mark| marks::end(mark)).collect(),
            names,
        })
    }

    /// The names of the items.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let made = self.known.iter().flat_map(|known| &known.makes);
        made.chain(&self.plain).cloned()
    }

    /// The same session after the macros that `kept` guessed have turned out to make statements.
    pub(crate) fn without_guesses(&self, kept: &Kept) -> Self {
        let mut calls = self.clone();
        calls.of_statements.extend(kept.guessed.iter().cloned());
        calls
    }

    /// The names of the items that `call` makes, and whether that is sure; `None` if it makes none.
    fn makes(&self, call: &Call) -> Option<(BTreeSet<String>, bool)> {
        match self.macros.makes(&call.node) {
            Makes::Items(names) => Some((names, true)),
            Makes::PerhapsItems(_) | Makes::PerhapsOf(_)
                if self.of_statements.contains(&call.name) =>
            {
                None
            }
            Makes::PerhapsItems(names) => Some((names, false)),
            Makes::PerhapsOf(name) => {
                let is_made = !self.plain.contains(&name);
                Some((is_made.then_some(name).into_iter().collect(), false))
            }
            Makes::Statements => None,
        }
    }

    /// Ends the calls that make one of these names, which the source defines anew.
    fn define(&mut self, names: Vec<String>, session: &mut Changing) {
        session.end(|known| names.iter().any(|name| known.makes.contains(name)));
        self.plain.extend(names);
    }

    /// Ends the item or the call behind a constant that only says so.
    fn end(&mut self, name: &str, session: &mut Changing) {
        session.earlier.retain(|known| known.mark != name);
        self.plain.remove(name);
        self.macros.remove(name);
    }

    /// Adds a call, in place of others. Returns its mark.
    fn make(&mut self, call: &Call, makes: BTreeSet<String>, session: &mut Changing) -> String {
        let expanded = self.macros.expand(&call.node);
        let implements = expanded.as_ref().map(macro_calls::implemented);
        let implements: BTreeSet<_> = implements
            .unwrap_or_default()
            .into_iter()
            .map(|header| format!("{} {header}", call.name))
            .collect();
        // Nothing but the arguments tells what an unknown macro makes.
        let is_unknown = expanded.is_none() && makes.is_empty();
        let arguments = if is_unknown {
            &call.subject
        } else {
            &call.arguments
        };
        let key = format!("{} {arguments}", call.name);
        let is_replaced = |known: &Known| {
            known.key == key
                || !known.makes.is_disjoint(&makes)
                || !known.implements.is_disjoint(&implements)
        };
        let mark = session.end(is_replaced).unwrap_or_else(|| {
            self.count += 1;
            marks::of_call(self.count)
        });
        session.ended.remove(&mark);
        for name in &makes {
            if self.plain.remove(name) {
                session.ended.insert(name.clone());
            }
        }
        self.known.push(Known {
            mark: mark.clone(),
            makes,
            implements,
            key,
        });
        mark
    }

    /// The items of `call` for evcxr's analyser.
    fn analysed(&self, call: &Call) -> String {
        let file = self.macros.expand(&call.node);
        let file = file.or_else(|| macro_calls::declared(&call.node));
        let items = file.as_ref().map(statements::texts).unwrap_or_default();
        let items = items.iter().filter_map(|item| marks::analysed(item));
        items.collect::<Vec<_>>().join(" ")
    }
}

/// The calls of the session before a source, and what the source ends.
struct Changing {
    earlier: Vec<Known>,
    /// The names of constants and items.
    ended: BTreeSet<String>,
}

impl Changing {
    /// Ends earlier calls. Returns the mark of the last.
    fn end(&mut self, is_ended: impl Fn(&Known) -> bool) -> Option<String> {
        let (ended, others) = std::mem::take(&mut self.earlier)
            .into_iter()
            .partition::<Vec<_>, _>(|known| is_ended(known));
        self.earlier = others;
        let marks: Vec<_> = ended.into_iter().map(|known| known.mark).collect();
        self.ended.extend(marks.iter().cloned());
        marks.last().cloned()
    }
}

/// Puts `call` into the constant `mark`. The Rust starts at the byte `start` of the source.
/// `analysed` follows the constant.
fn enclose(rewriting: &mut Rewriting<'_>, start: usize, call: &Call, mark: &str, analysed: &str) {
    let range = start + call.range.start..start + call.range.end;
    let (above, below) = marks::around_call(mark);
    let indent = rewriting.indent(range.start);
    rewriting.insert(range.start, format!("\n{above}\n{indent}"));
    let semicolon = if call.has_end || call.has_braces {
        ""
    } else {
        ";"
    };
    // Behind the braces of an item, a semicolon would be an error.
    if call.has_end && call.has_braces {
        rewriting.leave_out(range.end - 1..range.end);
    }
    let indent = rewriting.indent(range.end);
    rewriting.insert(
        range.end,
        format!("{semicolon}\n{below} {analysed}\n{indent}"),
    );
}
