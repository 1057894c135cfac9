//! Calls written out: source without the call that means the same.
//!
//! The calls that make statics are written out, so that the statics can get names. If it is not certain
//! that the source means the same, the call stays: metavariables must stand for whole pieces of code,
//! and no variable of a macro may meet one of the call.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasName};
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, SyntaxNode};

use super::expansion::{self, Home, Rule};
use super::foreign::{ForeignMacro, ForeignSources};
use super::fragment;
use super::hygiene;
use super::imports::Imports;
use super::trees::{self, Group, Leaf, Origin, Tree};
use super::{Macros, STANDARD_ITEMS, STANDARD_STATEMENTS, name};
use crate::compiler::definitions::tokens;

/// How deep calls in each other are written out. A call for each of many items is a call in a call.
const DEPTH: usize = 128;

/// Macros that tell the place or the tokens of their call.
const TELLING: [&str; 4] = ["column", "line", "macro_rules", "stringify"];

/// The macros that a source knows.
pub(crate) struct Known<'a> {
    session: Macros,
    /// The names of macros that are defined in modules and bodies.
    local: BTreeSet<String>,
    imports: Imports,
    /// The libraries of the dependencies.
    crates: &'a BTreeMap<String, PathBuf>,
    foreign: RefCell<BTreeMap<String, ForeignSources>>,
    expansions: Cell<u32>,
}

/// What stands at the place of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Items,
    /// A statement, which ends in a semicolon or not.
    Statement(bool),
    Value,
}

/// The definition of a macro.
struct Definition {
    rules: Arc<[Rule]>,
    crate_: Option<String>,
    has_inner_macros: bool,
}

impl<'a> Known<'a> {
    /// The macros that `file` knows. `crates` are the libraries of its dependencies.
    pub(crate) fn of(file: &SyntaxNode, crates: &'a BTreeMap<String, PathBuf>) -> Self {
        let mut session = Macros::default();
        let mut local = BTreeSet::new();
        for of in file.descendants().filter_map(ast::MacroRules::cast) {
            if of.syntax().parent().as_ref() == Some(file) {
                session.define(&of);
            } else {
                local.extend(of.name().map(|name| name.text().to_string()));
            }
        }
        Self {
            session,
            local,
            imports: Imports::of(file),
            crates,
            foreign: RefCell::default(),
            expansions: Cell::new(0),
        }
    }

    /// What `call`, which is in `source`, means without macros, in as many lines; `None` if the call makes
    /// no static, or if the meaning is not certain.
    pub(crate) fn written_out(&self, call: &ast::MacroCall, source: &str) -> Option<String> {
        let place = place(call)?;
        // Crates have macros that make a static for each call in a body, such as those for logs.
        if place != Place::Items && self.find(call)?.crate_.is_some() {
            return None;
        }
        let arguments = trees::inside(&call.token_tree()?);
        let leaves = self.expanded(call, &arguments, place, DEPTH)?;
        let (file, starts) = parsed_at(&leaves, place)?;
        let is_hygienic = hygiene::keeps_variables(&file, &starts, &leaves, call);
        is_hygienic
            .then(|| in_lines(&leaves, call.syntax(), source))
            .flatten()
    }

    /// What `call` becomes with these arguments; `None` if the call makes no static.
    fn expanded(
        &self,
        call: &ast::MacroCall,
        arguments: &[Tree],
        place: Place,
        depth: usize,
    ) -> Option<Vec<Leaf>> {
        let definition = self.find(call).filter(|_| depth > 0)?;
        let conditions = conditions(call, place)?;
        let number = self.expansions.get() + 1;
        self.expansions.set(number);
        let home = Home {
            crate_: definition.crate_.as_deref(),
            has_inner_macros: definition.has_inner_macros,
            number,
        };
        let made = expansion::expand(&definition.rules, arguments, home)?;
        if !are_whole(&made) {
            return None;
        }
        let mut leaves = trees::leaves(&made);
        let tells = |pair: &[Leaf]| pair[1].text == "!" && TELLING.contains(&pair[0].text.as_str());
        if leaves.windows(2).any(tells) || leaves.iter().any(|leaf| leaf.text == "$") {
            return None;
        }
        let (file, starts) = parsed(&leaves, place)?;
        let mut has_statics = file
            .descendants()
            .any(|node| ast::Static::cast(node).is_some_and(|of| of.body().is_some()));
        let mut inner = Vec::new();
        for call in file.descendants().filter_map(ast::MacroCall::cast) {
            let name = name(&call)?;
            has_statics |= name == "thread_local";
            let range = leaves_of(call.syntax(), &starts);
            let arguments = trees::inside(&call.token_tree()?);
            let arguments = trees::with_fragments(arguments, &leaves, &starts);
            let made = self::place(&call)
                .and_then(|place| self.expanded(&call, &arguments, place, depth - 1));
            if let Some(made) = made {
                let made = made.into_iter().map(|leaf| located(leaf, &leaves, &starts));
                inner.push((range, made.collect::<Vec<_>>()));
            } else if !takes_all(&name) && takes_fragments(&leaves[range]) {
                // The macro would take the fragments apart.
                return None;
            }
        }
        has_statics |= !inner.is_empty();
        for (range, made) in inner.into_iter().rev() {
            leaves.splice(range, made);
        }
        let written = |text: &str| trees::written(text, SyntaxKind::WHITESPACE, number);
        if !is_bare(&leaves, place) {
            leaves.insert(0, written("("));
            leaves.push(written(")"));
        }
        if !conditions.is_empty() {
            let (file, starts) = parsed_at(&leaves, place)?;
            let items: Vec<_> = file.children().collect();
            for item in items.iter().rev() {
                leaves.insert(leaves_of(item, &starts).start, written(&conditions));
            }
        }
        has_statics.then_some(leaves)
    }

    fn find(&self, call: &ast::MacroCall) -> Option<Definition> {
        let path = call.path()?.syntax().text().to_string();
        let path: String = path.split_whitespace().collect();
        let of_session = path.strip_prefix("crate::");
        if of_session.is_some_and(|path| path.contains("::")) {
            return None;
        }
        let path = of_session.unwrap_or(path.trim_start_matches("::"));
        let of_crate = |crate_: &str, name: &str| {
            let foreign = self.foreign(crate_, name)?;
            Some(Definition {
                rules: foreign.rules,
                crate_: Some(crate_.to_owned()),
                has_inner_macros: foreign.has_inner_macros,
            })
        };
        match path.split_once("::") {
            Some((crate_, name)) => of_crate(crate_, name),
            None if self.local.contains(path) => None,
            None => {
                if let Some(rules) = self.session.rules.get(path) {
                    return Some(Definition {
                        rules: Arc::clone(rules.as_ref()?),
                        crate_: None,
                        has_inner_macros: false,
                    });
                }
                let has = |crate_: &str| self.foreign(crate_, path).is_some();
                let (crate_, name) = self.imports.find(path, has)?;
                of_crate(&crate_, &name)
            }
        }
    }

    fn foreign(&self, crate_: &str, name: &str) -> Option<ForeignMacro> {
        let library = self.crates.get(crate_)?;
        let mut foreign = self.foreign.borrow_mut();
        let sources = foreign.entry(crate_.to_owned());
        sources
            .or_insert_with(|| ForeignSources::of(library))
            .exported(name)
    }
}

/// Whether a macro reads tokens as it reads a fragment of them.
fn takes_all(name: &str) -> bool {
    STANDARD_STATEMENTS.contains(&name) || STANDARD_ITEMS.contains(&name)
}

/// Whether the definition of a macro has written a call with these tokens, and fragments are among them.
fn takes_fragments(call: &[Leaf]) -> bool {
    let is_of_fragment = |leaf: &Leaf| leaf.piece.is_some();
    !call.first().is_some_and(is_of_fragment) && call.iter().any(is_of_fragment)
}

/// The place of a call; `None` in a pattern, a type or an implementation.
fn place(call: &ast::MacroCall) -> Option<Place> {
    let parent = call.syntax().parent()?;
    if ast::SourceFile::can_cast(parent.kind()) || ast::ItemList::can_cast(parent.kind()) {
        return Some(Place::Items);
    }
    ast::MacroExpr::cast(parent.clone())?;
    let around = parent.parent()?;
    let statement = ast::ExprStmt::cast(around);
    Some(statement.map_or(Place::Value, |statement| {
        Place::Statement(statement.semicolon_token().is_some())
    }))
}

/// The attributes of a call that each of its items gets, in one line; `None` if the call has another
/// attribute that matters.
fn conditions(call: &ast::MacroCall, place: Place) -> Option<String> {
    let attributes = call.attrs().map(|attribute| attribute.syntax().clone());
    let attributes = attributes.filter(|attribute| !tokens::is_neutral(attribute));
    let texts = attributes.map(|attribute| {
        let text = tokens::text(&attribute);
        let is_condition = text.starts_with("# [ cfg (") && place == Place::Items;
        is_condition.then_some(text)
    });
    texts.collect()
}

/// Whether each metavariable stands for one piece of code.
fn are_whole(trees: &[Tree]) -> bool {
    trees.iter().all(|tree| match tree {
        Tree::Leaf(_) => true,
        Tree::Group(Group { trees, .. }) => are_whole(trees),
        Tree::Fragment(of) => fragment::is_whole(&of.kind, &of.trees) && are_whole(&of.trees),
    })
}

/// What stands in front of a piece of code to make a source of it, and behind.
fn around(place: Place) -> (&'static str, &'static str) {
    match place {
        Place::Items => ("", ""),
        Place::Statement(_) => ("fn f() { ", "}"),
        Place::Value => ("const X: u8 = ", ";"),
    }
}

/// The source of these tokens, parsed, and the start of each token; `None` if the tokens are something
/// else.
fn parsed(leaves: &[Leaf], place: Place) -> Option<(SyntaxNode, Vec<usize>)> {
    let is_items = |leaves| parsed_at(leaves, Place::Items).is_some();
    if let Place::Statement(is_closed) = place {
        let is_value = is_closed && parsed_at(leaves, Place::Value).is_some();
        if !is_value && !is_items(leaves) {
            return None;
        }
    }
    parsed_at(leaves, place)
}

fn parsed_at(leaves: &[Leaf], place: Place) -> Option<(SyntaxNode, Vec<usize>)> {
    let (before, behind) = around(place);
    let mut text = before.to_owned();
    let mut starts = Vec::new();
    for leaf in leaves {
        starts.push(text.len());
        text.push_str(&leaf.text);
        if !leaf.is_joint {
            text.push(' ');
        }
    }
    text.push_str(behind);
    let file = SourceFile::parse(&text, Edition::Edition2024);
    let is_items = |node: &SyntaxNode| node.children().all(|item| ast::Item::can_cast(item.kind()));
    let node = file.tree().syntax().clone();
    (file.errors().is_empty() && is_items(&node)).then_some((node, starts))
}

/// Whether these tokens can take the place of their call without parentheses.
fn is_bare(leaves: &[Leaf], place: Place) -> bool {
    match place {
        Place::Items => true,
        Place::Statement(_) => parsed_at(leaves, Place::Items).is_some(),
        Place::Value => false,
    }
}

fn usize_range(node: &SyntaxNode) -> Range<usize> {
    node.text_range().into()
}

/// The numbers of the tokens of `node`.
fn leaves_of(node: &SyntaxNode, starts: &[usize]) -> Range<usize> {
    let range = usize_range(node);
    let number = |at: usize| starts.partition_point(|start| *start < at);
    number(range.start)..number(range.end)
}

/// A token of a call among `leaves` comes from where the token there comes from.
fn located(leaf: Leaf, leaves: &[Leaf], starts: &[usize]) -> Leaf {
    let origin = match leaf.origin {
        Origin::Text(at) => starts
            .binary_search(&at)
            .map_or(Origin::Macro(0), |number| leaves[number].origin),
        of_macro @ Origin::Macro(_) => of_macro,
    };
    Leaf { origin, ..leaf }
}

/// The tokens as source. A token of the source stays in its line, and in its column if no token of a macro
/// is in the way. `None` if a line would have to be added.
fn in_lines(leaves: &[Leaf], call: &SyntaxNode, source: &str) -> Option<String> {
    let Range { start, end } = usize_range(call);
    let line_of = |at: usize| source[start..at].matches('\n').count();
    let start_of_line = |text: &str| text.rfind('\n').map_or(0, |before| before + 1);
    let mut text = source[start_of_line(&source[..start])..start].to_owned();
    let before = text.len();
    let mut line = 0;
    // Where the last token ends, and whether the next may follow without a blank.
    let mut behind = None;
    let mut is_joint = true;
    for leaf in leaves {
        let at = match leaf.origin {
            Origin::Text(at) => Some(at),
            Origin::Macro(_) => None,
        };
        if !is_joint && (at.is_none() || at != behind) {
            text.push(' ');
        }
        if let Some(at) = at {
            let wanted = line_of(at).max(line);
            text.push_str(&"\n".repeat(wanted - line));
            line = wanted;
            let column = source[start_of_line(&source[..at])..at].chars().count();
            let written = text[start_of_line(&text)..].chars().count();
            text.push_str(&" ".repeat(column.saturating_sub(written)));
        }
        text.push_str(&leaf.text);
        line += leaf.text.matches('\n').count();
        behind = at.map(|at| at + leaf.text.len());
        is_joint = leaf.is_joint;
    }
    text.push(' ');
    let missing = line_of(end).checked_sub(line)?;
    Some(text.split_off(before) + &"\n".repeat(missing))
}

#[cfg(test)]
mod tests;
