//! Statics of the notebook, which keep their values from cell to cell.
//!
//! evcxr writes the items of a session into each cell, so that each cell has its own copy of each
//! `static`. This module gives the copies an exported name, which contains a number for the definition
//! of the static and for all that its type reaches. The session process lets all cells use the copy
//! of the first cell that has a static of this name. An edited static has another number, and starts
//! anew.

mod attributes;
mod made;
mod place;
mod surroundings;
mod thread_locals;
pub(super) mod unshared;

use std::collections::BTreeMap;
use std::path::PathBuf;

use memit_measure::shared_statics::{NAMED, PREFIX};
use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken};

use super::definitions::{Definitions, Reached, tokens};
use super::edits::{self, Edit};
use made::Made;
use place::Place;

/// The statics of a session: a number by path.
pub(crate) type Numbers = BTreeMap<String, u64>;

/// The statics that cells share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    Nothing,
    /// Those in the source.
    Written,
    /// Those that macros make, too.
    Made,
}

/// The source with statics that all cells share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    made: Made,
    edits: Vec<Edit>,
    /// The statics that can change, and whose start anew is worth a word.
    numbers: Numbers,
    /// How many statics have a number.
    used: BTreeMap<u64, u64>,
    /// The statics whose names the user has chosen: numbers by name.
    named: Numbers,
}

/// Shares statics in the source of a cell. `crates` are the dependencies with a number that changes when
/// a dependency is compiled again, and `libraries` are their files.
pub(super) fn shared(
    source: &str,
    sharing: Sharing,
    crates: BTreeMap<String, u64>,
    libraries: &BTreeMap<String, PathBuf>,
) -> Shared {
    let mut shared = Shared::default();
    // The macros of dependencies can make statics of any tokens.
    let may_have_statics = may_have_statics(source) || !libraries.is_empty();
    if !may_have_statics || sharing == Sharing::Nothing {
        return shared;
    }
    let parsed = |source: &str| SourceFile::parse(source, Edition::Edition2024).tree();
    let mut file = parsed(source);
    if sharing == Sharing::Made {
        shared.made = made::written_out(source, file.syntax(), libraries);
        if !shared.made.is_empty() {
            file = parsed(&shared.made.source);
        }
    }
    let definitions = Definitions::of(file.syntax(), crates);
    for node in file.syntax().descendants() {
        if let Some(of) = ast::Static::cast(node.clone()) {
            shared.share(&of, &definitions);
        } else if let Some(call) = ast::MacroCall::cast(node) {
            thread_locals::share(&call, &definitions, &mut shared);
        }
    }
    shared
}

/// Whether the word `static` occurs, apart from the lifetime.
pub(super) fn may_have_statics(source: &str) -> bool {
    let mut words = source.match_indices("static");
    words.any(|(at, word)| {
        let behind = source[at + word.len()..].chars().next();
        behind.is_some_and(char::is_whitespace) && !source[..at].ends_with('\'')
    })
}

impl Shared {
    /// What is shared.
    pub(super) fn sharing(&self) -> Sharing {
        if self.edits.is_empty() && self.named.is_empty() {
            Sharing::Nothing
        } else if self.made.is_empty() {
            Sharing::Written
        } else {
            Sharing::Made
        }
    }

    /// The source with exported names, and the statics. No line moves.
    pub(super) fn apply(self, source: &str) -> (String, Numbers) {
        let made = Some(self.made).filter(|made| !made.is_empty());
        let source = made.as_ref().map_or(source, |made| &made.source);
        let mut exported = edits::apply(source, self.edits);
        if !self.named.is_empty() {
            exported.push_str(&table(&self.named));
        }
        (exported, self.numbers)
    }

    fn share(&mut self, of: &ast::Static, definitions: &Definitions) {
        let (Some(place), Some(type_), Some(value)) = (Place::of(of.syntax()), of.ty(), of.body())
        else {
            return;
        };
        // The compiler may read the key from the value, and not from the static.
        if thread_locals::is_in(value.syntax()) {
            return;
        }
        let Some(name) = attributes::name(of) else {
            return;
        };
        let number = self.number(&place.path, of.syntax(), of.syntax(), definitions);
        match name {
            Some(name) => add(&mut self.named, name, number),
            None => self.edits.extend(export(of.syntax(), number)),
        }
        if of.mut_token().is_some() || can_change(type_.syntax()) {
            add(&mut self.numbers, place.shown, number);
        }
    }

    /// A number for a static, which no other static of the source has. `place` is where the static is in
    /// the source.
    fn number(
        &mut self,
        path: &str,
        of: &SyntaxNode,
        place: &SyntaxNode,
        definitions: &Definitions,
    ) -> u64 {
        let mut reached = definitions.reached_by(of);
        let mut texts = vec![tokens::text(of)];
        texts.extend(self.made.around(place).map(|around| tokens::text(&around)));
        for around in surroundings::of(place, definitions) {
            reached.extend(definitions.reached_by(&around));
            texts.push(surroundings::text(&around));
        }
        let reached: Vec<_> = reached.iter().map(Reached::fingerprint).collect();
        let number = tokens::hash((path, texts, reached));
        let before = self.used.entry(number).or_default();
        *before += 1;
        tokens::hash((number, *before))
    }
}

/// Adds a number for `key`. A key of several statics, of which `#[cfg]` may choose one, has a number
/// for all of them.
fn add(numbers: &mut Numbers, key: String, number: u64) {
    let sum = numbers.entry(key).or_default();
    *sum = sum.wrapping_add(number);
}

/// A table of statics with names of their own, for the session process. It stands behind the last
/// line.
fn table(named: &Numbers) -> String {
    let lines = named
        .iter()
        .map(|(name, number)| format!("{number:016x} {name}\n"));
    let bytes = lines.collect::<String>() + "\0";
    let symbol = NAMED.to_string_lossy();
    format!(
        "\n#[unsafe(export_name = \"{symbol}\")] static MEMIT_NAMED_STATICS: [u8; {}] = {:?};\n",
        bytes.len(),
        bytes.as_bytes(),
    )
}

/// The edit that exports a static: at the end of the line above, so that the columns of the static stay,
/// if nothing there makes a comment of the attribute.
fn export(item: &SyntaxNode, number: u64) -> Option<Edit> {
    let first = item.first_token()?;
    let is_line_break =
        |token: &SyntaxToken| token.kind() == SyntaxKind::WHITESPACE && token.text().contains('\n');
    let is_comment = |token: SyntaxToken| token.kind() == SyntaxKind::COMMENT;
    let above = first.prev_token().filter(is_line_break);
    let above = above.filter(|space| !space.prev_token().is_some_and(is_comment));
    let attribute = attribute(number);
    let (token, text) = match above {
        Some(space) => (space, format!(" {attribute}")),
        None => (first, format!("{attribute} ")),
    };
    let start = usize::from(token.text_range().start());
    Some((start..start, text))
}

/// The attribute that exports a static.
fn attribute(number: u64) -> String {
    format!("#[unsafe(export_name = \"{PREFIX}{number:016x}\")]")
}

/// Types without a part that can change.
const CONSTANT: &[&str] = &[
    "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize", "f32", "f64", "String", "Option",
];

/// Whether a static of this type may change.
fn can_change(of: &SyntaxNode) -> bool {
    let mut names = of.descendants().filter_map(ast::NameRef::cast);
    names.any(|name| !CONSTANT.contains(&name.text()))
}

#[cfg(test)]
mod tests;
