//! Leaves out the bodies of functions that a cell does not call.
//!
//! A cell is compiled with all items of the session. rustc checks the body of each function again,
//! though the body has been compiled before, and for a cell that calls few of them. The body of
//! such a function is therefore replaced by the call of a function that does not exist. Everything
//! else about the function stays, so the cell means the same. Which functions the cell calls is
//! guessed from names. The guess is right if the compiled cell does not need the function that does
//! not exist. Otherwise, or if the cell does not compile, the cell is compiled with all bodies.
//!
//! A body is left out only if the body has been compiled, and if everything is still there that the
//! session had then. So a cell that changes or deletes an item meets the errors in all functions.

mod calls;
mod items;
mod record;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::division::Work;
use super::edits::{self, Edit};
use super::symbols;
use items::{Function, Items};
use record::{Known, Record};

/// The function that does not exist.
const LEFT_OUT: &str = "memit_left_out";

/// Cells are slow if compiling one takes longer than this.
const SLOW: Duration = Duration::from_millis(300);

/// The bodies of the functions in a source.
pub(super) struct Bodies<'a> {
    whole: &'a str,
    /// The source, perhaps without some bodies.
    pub(super) source: Cow<'a, str>,
    known: Known,
    /// Whether the record of the session says the same.
    is_recorded: bool,
    work: Work,
}

impl<'a> Bodies<'a> {
    /// The bodies in the source of a cell. `crates` are the dependencies with their states. Leaves out what
    /// the cell does not call.
    pub(super) fn of(session: &Path, source: &'a str, crates: &BTreeMap<String, u64>) -> Self {
        let before = Record::read(session).unwrap_or_default();
        let same = before
            .items_of(source)
            .filter(|_| before.known.crates == *crates);
        let only_cell_is_new = same.is_some();
        let known = Known {
            items: same.unwrap_or_else(|| Items::of(source)),
            crates: crates.clone(),
            is_slow: before.known.is_slow,
        };
        let functions = &known.items.functions;
        let are_known = if only_cell_is_new {
            Some(vec![true; functions.len()])
        } else {
            before.knows(source, &known)
        };
        let mut work = Work {
            bytes: source.len(),
            calls_others: !functions.is_empty(),
            is_slow: known.is_slow,
        };
        let mut edits = Vec::new();
        if let Some(are_known) = are_known {
            let called = calls::called(source, &known.items, &are_known);
            work.calls_others = called
                .iter()
                .zip(&are_known)
                .any(|(called, known)| *called && *known);
            let left_out = functions.iter().zip(&called);
            let left_out = left_out.filter(|(of, called)| of.is_plain && !**called);
            edits.extend(left_out.filter_map(|(of, _)| without(source, of)));
            work.bytes -= edits.iter().map(|(body, _)| body.len()).sum::<usize>();
        }
        let shorter = if edits.is_empty() {
            Cow::Borrowed(source)
        } else {
            Cow::Owned(edits::apply(source, edits))
        };
        Self {
            whole: source,
            source: shorter,
            known,
            is_recorded: only_cell_is_new,
            work,
        }
    }

    /// What rustc has to do.
    pub(super) fn work(&self) -> Work {
        self.work
    }

    /// Whether a compiled cell calls a function whose body has been left out.
    pub(super) fn are_missed(&self, library: &[u8]) -> bool {
        self.is_shorter() && symbols::is_undefined(library, LEFT_OUT)
    }

    /// Puts all bodies back; `false` if none has been left out.
    pub(super) fn put_back(&mut self) -> bool {
        let was_shorter = self.is_shorter();
        self.source = Cow::Borrowed(self.whole);
        self.work.bytes = self.whole.len();
        was_shorter
    }

    /// Remembers that the cell compiles, and whether that takes long.
    pub(super) fn remember(mut self, session: &Path, taken: Duration) -> io::Result<()> {
        let is_slow = self.work.calls_others && taken > SLOW;
        if self.is_recorded && self.known.is_slow >= is_slow {
            return Ok(());
        }
        self.known.is_slow |= is_slow;
        Record::new(self.whole, self.known).write(session)
    }

    fn is_shorter(&self) -> bool {
        matches!(self.source, Cow::Owned(_))
    }
}

/// Leaves out the body of a function: no line moves, and what stands behind stays in its column. `None`
/// if the body is too short.
fn without(source: &str, function: &Function) -> Option<Edit> {
    let body = &source[function.body.clone()];
    // Parameters are not used any more, and code behind `!` is not either.
    let call =
        format!("{{#![allow(unused)]unsafe extern \"C\"{{safe fn {LEFT_OUT}()->!;}}{LEFT_OUT}()");
    let (lines, last) = match body.rsplit_once('\n') {
        Some((lines, last)) => (lines.matches('\n').count() + 1, last),
        None => (0, body.get(call.len()..)?),
    };
    let indent = last.strip_suffix('}')?;
    let width = indent.chars().count();
    let text = format!("{call}{}{:width$}}}", "\n".repeat(lines), "");
    Some((function.body.clone(), text))
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !is_part(c))
        .filter(|word| !word.is_empty())
}
