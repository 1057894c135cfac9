//! What has been compiled before in a session.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::items::Items;
use crate::compiler::kept;

/// The name under which the source is kept that was compiled last.
const NAME: &str = "needed";

/// A source, and what is known of the source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) source: String,
    pub(super) known: Known,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) items: Items,
    /// The dependencies with their states.
    pub(super) crates: BTreeMap<String, u64>,
    /// Whether cells that call functions of other cells have taken long to compile.
    pub(super) is_slow: bool,
}

impl Record {
    pub(super) fn new(source: &str, known: Known) -> Self {
        Self {
            source: source.to_owned(),
            known,
        }
    }

    /// The record of the cell that compiled last.
    pub(super) fn read(session: &Path) -> Option<Self> {
        let (source, known) = kept::read(session, NAME)?;
        Some(Self { source, known })
    }

    pub(super) fn write(&self, session: &Path) -> io::Result<()> {
        kept::write(session, NAME, &self.source, &self.known)
    }

    /// The items of another source, if only the function of the cell is another.
    pub(super) fn items_of(&self, source: &str) -> Option<Items> {
        let cell = self.known.items.cell.clone()?;
        // evcxr does not leave the same number of blank lines in front of each cell.
        let front = self.source[..cell.start].trim_end();
        let end = source.len().checked_sub(self.source.len() - cell.end)?;
        if source.get(..front.len())? != front || source.get(end..)? != &self.source[cell.end..] {
            return None;
        }
        let between = Items::of(source.get(front.len()..end)?);
        let start = between.are_one_cell().then_some(between.cell)??.start;
        let mut items = self.known.items.clone();
        items.place_cell(front.len() + start..end);
        Some(items)
    }

    /// For each function in another source, whether the function has been compiled. `None` if something has
    /// changed that decides whether the functions of this record compile: items, heads of functions,
    /// dependencies.
    pub(super) fn knows(&self, source: &str, known: &Known) -> Option<Vec<bool>> {
        let has = |(name, state): (&String, &u64)| known.crates.get(name) == Some(state);
        let surroundings: HashSet<_> = surroundings(source, &known.items).collect();
        let is_there = |text| surroundings.contains(text);
        let holds = self.known.crates.iter().all(has)
            && self::surroundings(&self.source, &self.known.items).all(is_there);
        let compiled: HashSet<_> = functions(&self.source, &self.known.items).collect();
        holds.then(|| {
            let functions = functions(source, &known.items);
            functions
                .map(|function| compiled.contains(function))
                .collect()
        })
    }
}

fn surroundings<'a>(source: &'a str, items: &'a Items) -> impl Iterator<Item = &'a str> {
    let heads = items.functions.iter();
    let heads = heads.map(|function| function.range.start..function.body.start);
    let all = items.rest.iter().cloned().chain(heads);
    all.map(|range| &source[range])
}

fn functions<'a>(source: &'a str, items: &'a Items) -> impl Iterator<Item = &'a str> {
    let functions = items.functions.iter();
    functions.map(|function| &source[function.range.clone()])
}
